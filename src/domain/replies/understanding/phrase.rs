//! The kinds of phrases that an answer consists of.

/// What a phrase of an answer says. Each kind is a list of `[reading]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhraseKind {
    /// The end of a sentence. No list.
    Mark,
    /// "can't come".
    Refuse,
    No,
    Cancel,
    Cancelled,
    /// "keep the booking".
    Keep,
    /// "we will be there".
    Coming,
    Yes,
    /// "no problem", "ok".
    Agreed,
    /// "looking forward to it".
    Glad,
    /// "car broke down".
    TravelTrouble,
    /// An illness that is the writer's.
    OwnIllness,
    Illness,
    /// "my mum".
    Relative,
    /// "my son".
    Child,
    We,
    I,
    /// "my", which is also "me".
    My,
    HeOrShe,
    HimOrHer,
    /// A reason that concerns a child: "school play".
    ChildEvent,
    /// A reason that is neither an illness nor a journey.
    Event,
    /// "the car", "the bus".
    Vehicle,
    /// "so", "because".
    Connective,
    Name,
    /// Changes nothing in any answer.
    Filler,
    /// Changes nothing in a cancellation, and is in no other answer.
    CancelFiller,
}

/// The lists of `[reading]`. If two lists have the same words, the earlier one counts.
pub(super) const PHRASE_LISTS: [(&str, PhraseKind); 26] = [
    ("refuse", PhraseKind::Refuse),
    ("no", PhraseKind::No),
    ("cancel", PhraseKind::Cancel),
    ("cancelled", PhraseKind::Cancelled),
    ("keep", PhraseKind::Keep),
    ("coming", PhraseKind::Coming),
    ("yes", PhraseKind::Yes),
    ("agreed", PhraseKind::Agreed),
    ("glad", PhraseKind::Glad),
    ("ride", PhraseKind::TravelTrouble),
    ("sick_self", PhraseKind::OwnIllness),
    ("sick", PhraseKind::Illness),
    ("kin", PhraseKind::Relative),
    ("child", PhraseKind::Child),
    ("we", PhraseKind::We),
    ("self", PhraseKind::I),
    ("mine", PhraseKind::My),
    ("he", PhraseKind::HeOrShe),
    ("him", PhraseKind::HimOrHer),
    ("kid_event", PhraseKind::ChildEvent),
    ("event", PhraseKind::Event),
    ("ride_noun", PhraseKind::Vehicle),
    ("so", PhraseKind::Connective),
    ("name", PhraseKind::Name),
    ("fill", PhraseKind::Filler),
    ("soft", PhraseKind::CancelFiller),
];

impl PhraseKind {
    /// The kind of the list with this number in [`PHRASE_LISTS`].
    pub(super) fn of_list(list: u16) -> PhraseKind {
        PHRASE_LISTS[usize::from(list)].1
    }

    /// Whether it agrees, refuses or cancels.
    pub(super) fn is_answer(self) -> bool {
        matches!(
            self,
            PhraseKind::Refuse
                | PhraseKind::No
                | PhraseKind::Cancel
                | PhraseKind::Cancelled
                | PhraseKind::Keep
                | PhraseKind::Coming
                | PhraseKind::Yes
                | PhraseKind::Agreed
        )
    }
}

/// A phrase of a text, and the word with which it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase {
    pub(super) kind: PhraseKind,
    pub(super) start: usize,
}

/// Whether one of the phrases is of one of these kinds.
pub(super) fn has_any(phrases: &[Phrase], kinds: &[PhraseKind]) -> bool {
    phrases.iter().any(|phrase| kinds.contains(&phrase.kind))
}
