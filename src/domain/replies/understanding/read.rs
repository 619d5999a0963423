//! Reads the phrases of an answer one after the other, and keeps track of whom they are about.

use crate::domain::replies::patterns::Word;
use crate::domain::replies::understanding::lists::Lists;
use crate::domain::replies::understanding::phrase::{Phrase, PhraseKind};
use crate::domain::replies::understanding::reading::{
    Answer, Attendance, GivenReason, Mention, Reading, Wording,
};

pub(super) fn read(lists: &Lists, words: &[Word], phrases: &[Phrase]) -> Reading {
    let mut reader = Reader::new(lists, words, phrases);
    for i in 0..phrases.len() {
        reader.read_phrase(i);
    }
    reader.finish()
}

/// Somebody whom a phrase is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Person {
    Writer,
    /// The writer and others.
    We,
    Child,
    Relative,
    /// Somebody with a first name.
    Named,
    HeOrShe,
}

struct Reader<'a> {
    lists: &'a Lists,
    words: &'a [Word],
    phrases: &'a [Phrase],
    reading: Reading,
    /// The subject of the clause so far.
    subject: Option<Person>,
    /// The last person mentioned in the clause.
    person: Option<Person>,
    /// The last noun for a person was a relative: then "he" is the relative.
    he_is_a_relative: bool,
    /// "He" or somebody with a name refuses.
    third_person_refuses: bool,
    /// Nobody but perhaps the writer is mentioned.
    writer_only: bool,
}

impl<'a> Reader<'a> {
    fn new(lists: &'a Lists, words: &'a [Word], phrases: &'a [Phrase]) -> Self {
        let mentions_others = phrases.iter().any(|phrase| {
            matches!(
                phrase.kind,
                PhraseKind::Child
                    | PhraseKind::Relative
                    | PhraseKind::Name
                    | PhraseKind::HeOrShe
                    | PhraseKind::HimOrHer
                    | PhraseKind::ChildEvent
                    | PhraseKind::We
            )
        });
        // "Slapped cheek, can't bring him": whoever is brought is a child.
        let mentions_a_child = phrases.iter().any(|phrase| {
            phrase.kind == PhraseKind::Child
                || (phrase.kind == PhraseKind::Refuse
                    && lists.answers.brings_a_child.begins(&words[phrase.start..]))
        });
        let mut reading = Reading::default();
        if mentions_a_child {
            reading.mentions.insert(Mention::Child);
        }
        Reader {
            lists,
            words,
            phrases,
            reading,
            subject: None,
            person: None,
            he_is_a_relative: false,
            third_person_refuses: false,
            writer_only: !mentions_others,
        }
    }

    fn read_phrase(&mut self, i: usize) {
        match self.phrases[i].kind {
            // "I am so sick": how sick, and no new clause.
            PhraseKind::Connective if self.kind(i + 1) == Some(PhraseKind::Illness) => {}
            PhraseKind::Mark | PhraseKind::Connective => self.begin_clause(),
            PhraseKind::I => self.speak_of(Person::Writer),
            PhraseKind::We => self.speak_of(Person::We),
            PhraseKind::My => self.person = Some(Person::Writer),
            PhraseKind::Child => self.name_somebody(Person::Child),
            PhraseKind::Relative => self.name_somebody(Person::Relative),
            PhraseKind::Name => self.name_somebody(Person::Named),
            PhraseKind::HeOrShe => {
                let who = self.he_or_she();
                self.speak_of(who);
            }
            PhraseKind::HimOrHer => {
                let who = self.he_or_she();
                self.person = Some(who);
            }
            PhraseKind::Illness => self.read_illness(i),
            PhraseKind::OwnIllness => self.read_own_illness(i),
            PhraseKind::TravelTrouble => self.give_reason(GivenReason::NoTransport),
            PhraseKind::Vehicle => self.give_reason(GivenReason::Vehicle),
            PhraseKind::Event => self.give_reason(GivenReason::Event),
            PhraseKind::ChildEvent => {
                self.give_reason(GivenReason::ChildEvent);
                // "Nursery sent him home with a rash."
                self.person = self.person.or(Some(Person::HeOrShe));
            }
            PhraseKind::Refuse => self.read_refusal(i, Answer::Refuse),
            PhraseKind::No => self.read_refusal(i, Answer::No),
            PhraseKind::Cancel => self.read_cancel(i),
            PhraseKind::Cancelled => self.reading.answers.insert(Answer::Cancelled),
            PhraseKind::Keep => self.reading.answers.insert(Answer::Yes),
            PhraseKind::Coming => self.read_coming(i),
            PhraseKind::Yes => {
                self.reading.answers.insert(Answer::Yes);
                self.reading.wording.insert(Wording::YesWord);
            }
            PhraseKind::Agreed => self.reading.answers.insert(Answer::Agreed),
            PhraseKind::CancelFiller => {
                let is_mild = self.lists.answers.mild.matches_all(self.span(i));
                self.reading.wording.insert(if is_mild {
                    Wording::Mild
                } else {
                    Wording::CancelFiller
                });
            }
            PhraseKind::Glad | PhraseKind::Filler => {}
        }
    }

    fn begin_clause(&mut self) {
        (self.subject, self.person) = (None, None);
    }

    fn speak_of(&mut self, person: Person) {
        (self.subject, self.person) = (Some(person), Some(person));
    }

    fn name_somebody(&mut self, person: Person) {
        self.speak_of(person);
        self.he_is_a_relative = person == Person::Relative;
        if person == Person::Relative {
            self.reading.mentions.insert(Mention::Relative);
            self.reading.mentions.insert(Mention::ThirdPerson);
        }
    }

    fn he_or_she(&mut self) -> Person {
        self.reading.mentions.insert(Mention::ThirdPerson);
        if self.he_is_a_relative {
            Person::Relative
        } else {
            Person::HeOrShe
        }
    }

    fn give_reason(&mut self, reason: GivenReason) {
        self.reading.reasons.insert(reason);
        self.subject = None;
    }

    fn read_illness(&mut self, i: usize) {
        // "Burnt his hand": the illness says whose it is.
        let says_his = || self.lists.clauses.his.matches_in(self.span(i));
        let patient = self
            .person
            .or_else(|| says_his().then_some(Person::HeOrShe));
        // "Isn't well enough to come."
        if self.lists.answers.too_ill.begins(self.rest(i)) {
            self.reading.answers.insert(Answer::Refuse);
            if patient == Some(Person::Relative) {
                self.reading.attendance.insert(Attendance::AboutOthers);
            }
        }
        let a_child_follows =
            matches!(self.kind(i + 1), Some(PhraseKind::Child | PhraseKind::Name));
        let reason = match patient {
            _ if a_child_follows => GivenReason::ChildIll,
            Some(Person::Child | Person::Named | Person::HeOrShe) => GivenReason::ChildIll,
            Some(Person::Writer) => GivenReason::WriterIll,
            None if self.reading.mentions.has(Mention::Child) => GivenReason::ChildIll,
            // "Feeling rough, can't come": without naming anybody, people speak of themselves.
            None if self.writer_only && self.is_said_of_oneself(i) => GivenReason::WriterIll,
            _ => GivenReason::OtherIll,
        };
        self.give_reason(reason);
    }

    /// Whether the words at an illness, or just before it, say that it is the writer's own.
    fn is_said_of_oneself(&self, i: usize) -> bool {
        let start = self.phrases[i].start;
        self.lists.answers.own_illness.begins(self.rest(i))
            || (start > 0 && self.lists.answers.have.has(self.words[start - 1]))
    }

    fn read_own_illness(&mut self, i: usize) {
        // "Ella has a migraine": a child has it only if it is named.
        let is_the_childs = matches!(
            self.person,
            Some(Person::Child | Person::Named | Person::HeOrShe)
        );
        if is_the_childs {
            return self.give_reason(GivenReason::ChildIll);
        }
        self.give_reason(GivenReason::WriterIll);
        if self.lists.answers.plain_no.has(self.rest(i)[0]) {
            self.reading.answers.insert(Answer::No);
        }
    }

    fn read_refusal(&mut self, i: usize, answer: Answer) {
        self.reading.answers.insert(answer);
        if self.lists.answers.no_way_there.begins(self.rest(i)) {
            self.reading.reasons.insert(GivenReason::NoTransport);
        }
        match self.subject {
            Some(Person::Relative) => self.reading.attendance.insert(Attendance::AboutOthers),
            Some(Person::HeOrShe | Person::Named) => self.third_person_refuses = true,
            _ => self.reading.attendance.insert(Attendance::WriterRefuses),
        }
    }

    fn read_cancel(&mut self, i: usize) {
        self.reading.answers.insert(Answer::Cancel);
        let somebody_else_cancels = matches!(
            self.subject,
            Some(Person::Relative | Person::HeOrShe | Person::Named | Person::Child)
        );
        if somebody_else_cancels || self.cancels_something_else(i) {
            self.reading.attendance.insert(Attendance::AboutOthers);
        }
    }

    /// "Cancel the dentist", "cancel him".
    fn cancels_something_else(&self, i: usize) -> bool {
        let has_determiner = self
            .phrases
            .get(i + 1)
            .and_then(|next| self.words.get(next.start))
            .is_some_and(|word| self.lists.answers.determiner.has(*word));
        let object = self.kind(if has_determiner { i + 2 } else { i + 1 });
        let is_a_person = self.kind(i + 1) == Some(PhraseKind::HimOrHer)
            && self.kind(i + 2).is_none_or(|kind| kind == PhraseKind::Mark);
        is_a_person
            || matches!(
                object,
                Some(PhraseKind::Event | PhraseKind::ChildEvent | PhraseKind::Vehicle)
            )
    }

    fn read_coming(&mut self, i: usize) {
        self.reading.answers.insert(Answer::Yes);
        self.reading.attendance.insert(Attendance::SomebodyComes);
        // "My partner can't come but I will be there."
        let is_somebody_else = matches!(
            self.subject,
            Some(Person::Relative | Person::HeOrShe | Person::Named)
        ) && !self.lists.clauses.writer.matches_in(self.span(i));
        if is_somebody_else {
            self.reading.mentions.insert(Mention::ThirdPerson);
        } else {
            self.reading.attendance.insert(Attendance::WriterComes);
        }
    }

    /// Whoever brings a child answers for it. Nobody here can answer for anybody else.
    fn finish(self) -> Reading {
        let mut reading = self.reading;
        if !self.third_person_refuses {
            return reading;
        }
        // "Covid positive, she won't be there": if nobody else is ill, it is the child.
        if reading.reasons.has(GivenReason::OtherIll)
            && !reading.reasons.has(GivenReason::WriterIll)
            && !reading.mentions.has(Mention::Relative)
        {
            reading
                .reasons
                .replace(GivenReason::OtherIll, GivenReason::ChildIll);
        }
        if !reading.is_about_a_child() {
            reading.attendance.insert(Attendance::AboutOthers);
        }
        reading
    }

    fn kind(&self, i: usize) -> Option<PhraseKind> {
        self.phrases.get(i).map(|phrase| phrase.kind)
    }

    /// The words of a phrase.
    fn span(&self, i: usize) -> &'a [Word] {
        let end = self
            .phrases
            .get(i + 1)
            .map_or(self.words.len(), |next| next.start);
        &self.words[self.phrases[i].start..end]
    }

    /// The words from a phrase to the end of the text.
    fn rest(&self, i: usize) -> &'a [Word] {
        &self.words[self.phrases[i].start..]
    }
}
