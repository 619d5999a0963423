//! The lists of `understanding/`, read once.

use crate::domain::replies::patterns::{
    ASK, BREAK, Builder, Patterns, Vocabulary, Word, strings, table,
};
use crate::domain::replies::understanding::SomeChildren;
use crate::domain::replies::understanding::agreed::Agreed;
use crate::domain::visits::session::Reason;
use std::collections::HashMap;
use std::sync::LazyLock;
use toml::Table;

/// Two files that are read as one: what parents answer, and what they write in danger.
pub(super) const ENGLISH: &str = concat!(
    include_str!("../../../../understanding/en.toml"),
    "\n",
    include_str!("../../../../understanding/en-danger.toml")
);
/// Languages of which only whole messages are known.
pub(super) const OTHERS: [&str; 5] = [
    include_str!("../../../../understanding/cy.toml"),
    include_str!("../../../../understanding/ga.toml"),
    include_str!("../../../../understanding/pl.toml"),
    include_str!("../../../../understanding/ro.toml"),
    include_str!("../../../../understanding/ur-Latn.toml"),
];

/// What a part of an answer is. Where two lists hold the same words the earlier counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Refuse,
    No,
    Cancel,
    Cancelled,
    Keep,
    Coming,
    Yes,
    Agreed,
    Glad,
    Ride,
    SickSelf,
    Sick,
    Kin,
    Child,
    We,
    Self_,
    Mine,
    He,
    Him,
    KidEvent,
    Event,
    RideNoun,
    So,
    Name,
    Fill,
    Soft,
}

impl Piece {
    /// Whether it agrees, refuses or calls off.
    pub(super) fn answers(self) -> bool {
        use Piece as P;
        matches!(
            self,
            P::Refuse | P::No | P::Cancel | P::Cancelled | P::Keep | P::Coming | P::Yes | P::Agreed
        )
    }
}

/// The lists of `[reading]`, in the order of [`Piece`].
pub(super) const READING: [(&str, Piece); 26] = [
    ("refuse", Piece::Refuse),
    ("no", Piece::No),
    ("cancel", Piece::Cancel),
    ("cancelled", Piece::Cancelled),
    ("keep", Piece::Keep),
    ("coming", Piece::Coming),
    ("yes", Piece::Yes),
    ("agreed", Piece::Agreed),
    ("glad", Piece::Glad),
    ("ride", Piece::Ride),
    ("sick_self", Piece::SickSelf),
    ("sick", Piece::Sick),
    ("kin", Piece::Kin),
    ("child", Piece::Child),
    ("we", Piece::We),
    ("self", Piece::Self_),
    ("mine", Piece::Mine),
    ("he", Piece::He),
    ("him", Piece::Him),
    ("kid_event", Piece::KidEvent),
    ("event", Piece::Event),
    ("ride_noun", Piece::RideNoun),
    ("so", Piece::So),
    ("name", Piece::Name),
    ("fill", Piece::Fill),
    ("soft", Piece::Soft),
];

/// A message that is understood as a whole: alone with courtesies, or by an account of every word.
#[derive(Default)]
pub(super) struct Account {
    pub(super) whole: Patterns,
    /// What may stand before or behind the whole and changes nothing: "okay", "thank you".
    pub(super) courtesy: Patterns,
    /// List 0 is what is meant, list 1 what may stand around it.
    pub(super) words: Patterns,
    pub(super) unless: Patterns,
}

#[derive(Default)]
pub(super) struct Sign {
    pub(super) core: Patterns,
    pub(super) unless: Patterns,
}

pub(super) struct Lists {
    pub(super) vocabulary: Vocabulary,
    pub(super) around: Patterns,
    pub(super) stop: Account,
    /// What another sentence must not say if one says STOP.
    pub(super) against_stop: Patterns,
    pub(super) start: Account,
    pub(super) help: Account,
    pub(super) stranger: Patterns,
    /// A sentence that says for certain that the number is another's.
    pub(super) wrong_number: Patterns,
    pub(super) reasons: [(Patterns, Reason); 4],
    pub(super) reading: Patterns,
    pub(super) polite: Patterns,
    pub(super) no_answer: Patterns,
    /// A part of a visit or its way that is refused, and not the visit.
    pub(super) no_refusal: Patterns,
    /// A "no" before words that agree.
    pub(super) no_agrees: Patterns,
    /// A "no" that belongs to the word behind it.
    pub(super) no_of: Patterns,
    /// Where a clause may begin inside a sentence.
    pub(super) joints: Patterns,
    /// What in a clause that cannot be read may turn the answer of another clause; and what else
    /// may turn a YES.
    pub(super) turns: Patterns,
    pub(super) turns_yes: Patterns,
    /// The writer; a child or somebody else; somebody else for certain.
    pub(super) own: Patterns,
    pub(super) his: Patterns,
    pub(super) third: Patterns,
    pub(super) others_named: Patterns,
    /// Words that quote somebody; a word that a refusal behind it belongs to.
    pub(super) report: Patterns,
    pub(super) bound: Patterns,
    /// A YES that stands beside unknown words; and what such words may be beside any YES.
    pub(super) firm: Patterns,
    pub(super) along: Patterns,
    /// Who speaks of themselves; what stands before a place; what a word must follow; how a plain
    /// agreement at the end begins.
    pub(super) speaks: Patterns,
    pub(super) at_places: Patterns,
    pub(super) leads_on: Patterns,
    pub(super) concludes: Patterns,
    /// With what a new clause may begin unmarked; what takes back a YES beside "we will be there".
    pub(super) begins: Patterns,
    /// How a refusal begins that ends a message.
    pub(super) but_no: Patterns,
    pub(super) turns_both: Patterns,
    /// A clause that takes back what was agreed.
    pub(super) bare_no: Patterns,
    /// What a visit is called; that somebody brings a child; that somebody comes, and not in time.
    pub(super) visit: Patterns,
    pub(super) brings: Patterns,
    pub(super) not_in_time: Patterns,
    pub(super) determiner: Patterns,
    /// An illness that is a refusal; a word after which a time of day is no visit's.
    pub(super) too_ill: Patterns,
    /// Of the soft words those that stand beside a plain "we will be there" too.
    pub(super) mild: Patterns,
    pub(super) since: Patterns,
    pub(super) holds: Patterns,
    /// A plain no; no way to get there; what one says of one's own illness; "have" and its like.
    pub(super) no: Patterns,
    pub(super) no_way: Patterns,
    pub(super) at_end: Patterns,
    pub(super) own_illness: Patterns,
    pub(super) have: Patterns,
    pub(super) greeting: Patterns,
    pub(super) forwarded: Patterns,
    pub(super) machine: Patterns,
    pub(super) asking: Patterns,
    pub(super) abuse: Sign,
    pub(super) reschedule: Sign,
    pub(super) details: Sign,
    pub(super) late: Sign,
    pub(super) question: Sign,
    pub(super) danger: Families,
    pub(super) watched: Sign,
    pub(super) some: SomeStay,
    pub(super) abuse_signs: String,
    pub(super) danger_signs: String,
    pub(super) doubtful: String,
    /// Signs that say STOP and nothing else, and those that say it alone.
    pub(super) stop_signs: String,
    pub(super) stop_alone: String,
    pub(super) agreed: Agreed,
}

pub(super) static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    Lists::read(ENGLISH, &OTHERS).unwrap_or_else(|e| panic!("understanding: {e}"))
});

fn patterns(
    b: &mut Builder<'_>,
    t: &Table,
    section: &str,
    keys: &[&str],
) -> Result<Patterns, String> {
    let t = table(t, section)?;
    let mut out = Patterns::default();
    for (n, key) in keys.iter().enumerate() {
        let Some(list) = t.get(*key) else { continue };
        for p in strings(list, key)? {
            b.add(&mut out, u16::try_from(n).map_err(|e| e.to_string())?, &p)
                .map_err(|e| format!("{section}.{key}: {e}"))?;
        }
    }
    Ok(out)
}

/// The lists of danger, each with what is harmless in its own words.
fn families(b: &mut Builder<'_>, t: &Table) -> Result<Families, String> {
    let mut out = Families::default();
    let list = t
        .get("danger")
        .and_then(|d| d.as_array())
        .ok_or("danger is missing")?;
    for (n, family) in (0u16..).zip(list) {
        let family = family
            .as_table()
            .ok_or("danger holds something that is no table")?;
        let name = family
            .get("name")
            .and_then(|n| n.as_str())
            .ok_or("a list of danger has no name")?;
        for (key, to) in [("core", &mut out.core), ("unless", &mut out.unless)] {
            for p in strings(
                family
                    .get(key)
                    .ok_or_else(|| format!("{name}: {key} is missing"))?,
                key,
            )? {
                b.add(to, n, &p)
                    .map_err(|e| format!("{name}, {key}: {e}"))?;
            }
        }
    }
    Ok(out)
}

fn text_of(t: &Table, section: &str, key: &str) -> Result<String, String> {
    table(t, section)?
        .get(key)
        .and_then(|v| v.as_str())
        .map(str::to_owned)
        .ok_or_else(|| format!("{section}.{key} is missing"))
}

impl Lists {
    pub(super) fn read(english: &str, others: &[&str]) -> Result<Self, String> {
        let t: Table = english.parse().map_err(|e| format!("en: {e}"))?;
        let mut classes = table(&t, "classes")?.clone();
        for (name, words) in table(&t, "danger_classes")? {
            if classes.insert(name.clone(), words.clone()).is_some() {
                return Err(format!("{name} is a list of classes twice"));
            }
        }
        let names = table(&t, "reading")?
            .get("name")
            .map_or(Ok(Vec::new()), |l| strings(l, "name"))?;
        let mut b = Builder {
            vocabulary: Vocabulary::read(&t)?,
            classes: &classes,
            names,
            read: HashMap::new(),
        };
        let account = |b: &mut Builder<'_>, section: &str| -> Result<Account, String> {
            let mut words = patterns(b, &t, section, &["core", "extra"])?;
            for p in strings(&table(&t, "stranger")?["around"], "around")? {
                b.add(&mut words, 1, &p)?;
            }
            Ok(Account {
                whole: patterns(b, &t, section, &["whole"])?,
                courtesy: patterns(b, &t, section, &["courtesy"])?,
                words,
                unless: patterns(b, &t, section, &["unless"])?,
            })
        };
        let sign = |b: &mut Builder<'_>, section: &str| -> Result<Sign, String> {
            Ok(Sign {
                core: patterns(b, &t, section, &["core"])?,
                unless: patterns(b, &t, section, &["unless"])?,
            })
        };
        let reading = READING.map(|(name, _)| name);
        let mut lists = Lists {
            around: patterns(&mut b, &t, "stranger", &["around"])?,
            stop: account(&mut b, "stop")?,
            against_stop: patterns(&mut b, &t, "stop", &["against"])?,
            start: account(&mut b, "start")?,
            help: account(&mut b, "help")?,
            stranger: patterns(&mut b, &t, "stranger", &["whole"])?,
            wrong_number: patterns(&mut b, &t, "stranger", &["sure"])?,
            reasons: [
                (
                    patterns(&mut b, &t, "reason", &["ill_child"])?,
                    Reason::IllChild,
                ),
                (
                    patterns(&mut b, &t, "reason", &["ill_me"])?,
                    Reason::IllSelf,
                ),
                (patterns(&mut b, &t, "reason", &["travel"])?, Reason::Travel),
                (patterns(&mut b, &t, "reason", &["other"])?, Reason::Other),
            ],
            reading: patterns(&mut b, &t, "reading", &reading)?,
            polite: patterns(&mut b, &t, "notes", &["polite"])?,
            no_answer: patterns(&mut b, &t, "notes", &["no_answer"])?,
            no_refusal: patterns(&mut b, &t, "notes", &["no_refusal"])?,
            no_agrees: patterns(&mut b, &t, "notes", &["no_agrees"])?,
            no_of: patterns(&mut b, &t, "notes", &["no_of"])?,
            joints: patterns(&mut b, &t, "clauses", &["joints"])?,
            turns: patterns(&mut b, &t, "clauses", &["turns"])?,
            turns_yes: patterns(&mut b, &t, "clauses", &["turns_yes"])?,
            own: patterns(&mut b, &t, "clauses", &["own"])?,
            his: patterns(&mut b, &t, "clauses", &["his"])?,
            third: patterns(&mut b, &t, "clauses", &["third"])?,
            others_named: patterns(&mut b, &t, "clauses", &["others"])?,
            report: patterns(&mut b, &t, "clauses", &["report"])?,
            bound: patterns(&mut b, &t, "clauses", &["bound"])?,
            firm: patterns(&mut b, &t, "clauses", &["firm"])?,
            along: patterns(&mut b, &t, "clauses", &["along"])?,
            speaks: patterns(&mut b, &t, "clauses", &["speaks"])?,
            at_places: patterns(&mut b, &t, "clauses", &["at_places"])?,
            leads_on: patterns(&mut b, &t, "clauses", &["leads_on"])?,
            concludes: patterns(&mut b, &t, "clauses", &["concludes"])?,
            but_no: patterns(&mut b, &t, "clauses", &["but_no"])?,
            bare_no: patterns(&mut b, &t, "clauses", &["bare_no"])?,
            begins: patterns(&mut b, &t, "clauses", &["begins"])?,
            turns_both: patterns(&mut b, &t, "clauses", &["turns_both"])?,
            visit: patterns(&mut b, &t, "notes", &["visit"])?,
            brings: patterns(&mut b, &t, "notes", &["brings"])?,
            not_in_time: patterns(&mut b, &t, "notes", &["not_in_time"])?,
            determiner: patterns(&mut b, &t, "notes", &["determiner"])?,
            mild: patterns(&mut b, &t, "notes", &["mild"])?,
            too_ill: patterns(&mut b, &t, "notes", &["too_ill"])?,
            since: patterns(&mut b, &t, "notes", &["since"])?,
            no: patterns(&mut b, &t, "notes", &["no"])?,
            at_end: patterns(&mut b, &t, "notes", &["at_end"])?,
            no_way: patterns(&mut b, &t, "notes", &["no_way"])?,
            own_illness: patterns(&mut b, &t, "notes", &["own_illness"])?,
            have: patterns(&mut b, &t, "notes", &["have"])?,
            holds: patterns(&mut b, &t, "notes", &["holds"])?,
            greeting: patterns(&mut b, &t, "notes", &["greeting"])?,
            forwarded: patterns(&mut b, &t, "notes", &["forwarded"])?,
            machine: patterns(&mut b, &t, "notes", &["machine"])?,
            asking: patterns(&mut b, &t, "notes", &["asking"])?,
            abuse: sign(&mut b, "abuse")?,
            reschedule: sign(&mut b, "reschedule")?,
            details: sign(&mut b, "details")?,
            late: sign(&mut b, "late")?,
            question: sign(&mut b, "question")?,
            danger: families(&mut b, &t)?,
            watched: sign(&mut b, "watched")?,
            some: SomeStay {
                words: patterns(
                    &mut b,
                    &t,
                    "some_children",
                    &["ill", "stays", "comes", "extra"],
                )?,
            },
            abuse_signs: text_of(&t, "abuse", "signs")?,
            danger_signs: text_of(&t, "signs", "danger")?,
            stop_signs: text_of(&t, "signs", "stop")?,
            stop_alone: text_of(&t, "signs", "stop_alone")?,
            doubtful: text_of(&t, "signs", "doubtful")?,
            agreed: Agreed::default(),
            vocabulary: Vocabulary::default(),
        };
        // The agreed words are held against English alone, before anything of another language is a
        // word here.
        let files = others
            .iter()
            .map(|text| text.parse::<Table>().map_err(|e| e.to_string()))
            .collect::<Result<Vec<_>, _>>()?;
        for t in &files {
            let lang = t
                .get("language")
                .and_then(|l| l.as_str())
                .ok_or("a file names no language")?;
            lists.agreed.add(lang, t, &b.vocabulary)?;
        }
        for t in &files {
            for p in t
                .get("danger")
                .map_or(Ok(Vec::new()), |l| strings(l, "danger"))?
            {
                b.add(&mut lists.danger.core, u16::MAX, &p)?;
            }
        }
        b.vocabulary.add_slips(&t)?;
        lists.vocabulary = b.vocabulary;
        Ok(lists)
    }
}

/// Some of the children stay away and the others come: every word is accounted for.
#[derive(Default)]
pub(super) struct SomeStay {
    /// Who is ill, who stays, who comes, and what may stand around it.
    words: Patterns,
}

impl SomeStay {
    /// What it says, if it says that for certain.
    pub(super) fn read(&self, words: &[Word]) -> Option<SomeChildren> {
        let (mut at, mut said) = (0, [false; 4]);
        while at < words.len() {
            let (n, list) = self.words.longest(&words[at..])?;
            said[usize::from(list)] = true;
            at += n;
        }
        let [ill, stays, comes, _] = said;
        (comes && (ill || stays)).then_some(SomeChildren { ill })
    }
}

/// The lists of danger: a line of one is explained away only by a harmless one of the same list,
/// and only in its own words.
#[derive(Default)]
pub(super) struct Families {
    core: Patterns,
    unless: Patterns,
}

/// How far around a line of danger is looked for what explains it.
const AROUND: usize = 6;

impl Families {
    /// Whether a line fits that nothing of its own list explains.
    pub(super) fn in_words(&self, words: &[Word]) -> bool {
        unexplained(&self.core, &self.unless, words)
    }
}

fn unexplained(core: &Patterns, unless: &Patterns, words: &[Word]) -> bool {
    core.all(words).any(|(from, to, family)| {
        let start = from.saturating_sub(AROUND);
        !unless
            .all(&words[start..words.len().min(to + AROUND)])
            .any(|(f, t, of)| of == family && f + start < to && t + start > from)
    })
}

impl Sign {
    /// Whether a line fits that is not explained by one of the harmless ones.
    pub(super) fn in_words(&self, words: &[Word]) -> bool {
        unexplained(&self.core, &self.unless, words)
    }

    /// Whether a line fits and no word speaks against it.
    pub(super) fn clearly_in(&self, words: &[Word]) -> bool {
        self.core.any(words) && !self.unless.any(words)
    }
}

impl Account {
    /// Whether it is the whole, once, among courtesies alone.
    fn with_courtesies(&self, words: &[Word]) -> bool {
        let (mut at, mut said) = (0, 0);
        while at < words.len() {
            let whole = self.whole.longest(&words[at..]);
            let Some((n, _)) = whole.or_else(|| self.courtesy.longest(&words[at..])) else {
                return false;
            };
            said += usize::from(whole.is_some());
            at += n;
        }
        said == 1
    }

    /// Whether one sentence of several means it, and no other holds a word that speaks against it.
    pub(super) fn in_a_sentence(&self, words: &[Word], against: &Patterns) -> bool {
        let sentences: Vec<&[Word]> = words
            .split(|w| matches!(w.id, BREAK | ASK))
            .filter(|s| !s.is_empty())
            .collect();
        let means = |s: &[Word]| self.accounts_for(s) && !self.unless.any(s);
        sentences.len() > 1
            && sentences.iter().any(|s| means(s))
            && sentences.iter().all(|s| means(s) || !against.any(s))
    }

    /// Whether it is said somewhere, among whatever.
    pub(super) fn mentioned_in(&self, words: &[Word]) -> bool {
        self.words.all(words).any(|(_, _, list)| list == 0)
    }

    /// Whether every word of it is one that goes with the meaning, and one says it.
    fn accounts_for(&self, words: &[Word]) -> bool {
        let (mut at, mut core) = (0, false);
        while at < words.len() {
            let Some((n, list)) = self.words.longest(&words[at..]) else {
                return false;
            };
            core |= list == 0;
            at += n;
        }
        core
    }

    pub(super) fn means(&self, words: &[Word], alone: &[Word]) -> bool {
        if self.whole.whole(alone) || self.with_courtesies(words) {
            return true;
        }
        self.accounts_for(words) && !self.unless.any(words)
    }
}
