//! The rules of wording and what to say when a text breaks one.

/// How many characters of a text a locked phone always shows.
pub(super) const OPENING: usize = 40;

/// A rule that a text can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LintRule {
    /// It names a child.
    Child,
    /// It names a reason.
    Reason,
    /// It names a court, a lawyer or an authority.
    Court,
    /// It names a doctor.
    Doctor,
    /// It names the other parent.
    OtherParent,
    /// It names what kind of place this is.
    Place,
    /// It speaks of money or a note where neither belongs.
    Money,
    /// It says that nothing is charged where that is not known.
    NoCharge,
    /// It names an amount.
    Amount,
    /// It offers an answer that opts the phone out.
    OptOut,
    /// It contains a link.
    Link,
    /// Its first characters do not name the sender, or say more than that.
    Opening,
    /// It asks a question without printing the words to answer with.
    Answers,
    /// It does not say what its kind of message must say.
    Missing,
    /// It hints at a cause where none may be given.
    Cause,
    /// It says something that its kind of message may not say.
    NotHere,
    /// It commands, warns or shouts.
    Tone,
}

impl LintRule {
    pub const ALL: [LintRule; 17] = [
        LintRule::Child,
        LintRule::Reason,
        LintRule::Court,
        LintRule::Doctor,
        LintRule::OtherParent,
        LintRule::Place,
        LintRule::Money,
        LintRule::NoCharge,
        LintRule::Amount,
        LintRule::OptOut,
        LintRule::Link,
        LintRule::Opening,
        LintRule::Answers,
        LintRule::Missing,
        LintRule::Cause,
        LintRule::NotHere,
        LintRule::Tone,
    ];
}

/// One rule that a text breaks, with the words that break it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LintFinding {
    pub rule: LintRule,
    pub word: String,
}

impl LintFinding {
    pub(super) fn new(rule: LintRule, word: impl Into<String>) -> LintFinding {
        LintFinding {
            rule,
            word: word.into(),
        }
    }

    /// Describes what is wrong.
    pub fn what(&self) -> String {
        let w = &self.word;
        match self.rule {
            LintRule::Child => format!("it names a child ({w:?})"),
            LintRule::Reason => format!("it names a reason ({w:?})"),
            LintRule::Court => format!("it names a court, a lawyer or an authority ({w:?})"),
            LintRule::Doctor => format!("it names a doctor ({w:?})"),
            LintRule::OtherParent => format!("it names the other parent ({w:?})"),
            LintRule::Place => format!("it names what kind of place this is ({w:?})"),
            LintRule::Money => format!("it speaks of money or a note ({w:?})"),
            LintRule::NoCharge => format!("it says that nothing is charged ({w:?})"),
            LintRule::Amount => format!("it names an amount ({w:?})"),
            LintRule::OptOut => {
                format!("it offers {w:?} as an answer, which takes the phone off all texts")
            }
            LintRule::Link => format!("it contains a link ({w:?})"),
            LintRule::Opening => format!("its first {OPENING} characters are not neutral ({w:?})"),
            LintRule::Answers => format!("it asks, and does not print {w:?} to answer with"),
            LintRule::Missing => format!("it does not say {w}"),
            LintRule::Cause => format!("it hints at a cause or at who it was ({w:?})"),
            LintRule::NotHere => format!("it says {w:?}, which this kind of message may not"),
            LintRule::Tone => format!("it commands, warns or shouts ({w:?})"),
        }
    }

    /// How to fix a template.
    pub fn fix(&self) -> &'static str {
        match self.rule {
            LintRule::Child | LintRule::Reason => {
                "Take it out; only cancel_reason_ask may offer such words to choose from."
            }
            LintRule::Court | LintRule::OtherParent | LintRule::Place => {
                "Take it out; no text to a parent says so."
            }
            LintRule::Doctor => {
                "Take it out or say \"the note\"; only note_request says whose note it is."
            }
            LintRule::Money => {
                "Take it out; only the texts about money, a change of the fees, closure, the \
                 confirmation and one's own cancellation speak of it."
            }
            LintRule::NoCharge => {
                "Take it out; only closure, note_request and an acknowledgement in time may \
                 promise it."
            }
            LintRule::Amount => "Take it out; only fee_notice names an amount.",
            LintRule::OptOut => {
                "Offer the language's words for YES and NO; only welcome, help and start_ack name \
                 STOP, as the way to end texts."
            }
            LintRule::Link => "Take it out; texts from the centre never hold a link.",
            LintRule::Opening => {
                "Begin with {{ centre }}: and the visit, and say the rest after that; a locked \
                 phone shows the beginning."
            }
            LintRule::Answers => "Print it in capitals, as in the built-in text.",
            LintRule::Missing => "Say it as the built-in text does.",
            LintRule::Cause => {
                "Take it out; that a visit is off, on again or moved is said without any cause."
            }
            LintRule::NotHere => "Take it out; wording of this kind stands in the built-in text.",
            LintRule::Tone => "Say it as a courtesy: please, and no exclamation mark or picture.",
        }
    }

    /// Describes what is wrong with a text by staff, and how to fix it.
    pub fn for_staff(&self) -> String {
        match self.rule {
            LintRule::Link => format!("{}; texts from the centre never do", self.what()),
            LintRule::OptOut => format!("{}; leave it out", self.what()),
            _ => format!(
                "{}, which may be read over a shoulder; say it on the phone",
                self.what()
            ),
        }
    }
}
