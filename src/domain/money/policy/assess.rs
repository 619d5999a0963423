//! Lateness, liability and charge: the facts of one session, taken in the order of their instants.

use crate::domain::money::policy::facts::{
    About, Fact, Facts, LaterSession, Money, Note, Parent, PayClock, Slot, What,
};
use crate::domain::money::policy::notices::{Notice, NoticeKind, Topic};
use crate::domain::money::policy::timeline::{FeeState, Standing, Timers};
use crate::domain::visits::session::{Reason, cut_off};
use chrono::{DateTime, NaiveDate, Utc};

/// One step of the history, with the choice or rule that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// The choice (`C01` …) or the rule.
    pub rule: &'static str,
    /// Why, in a sentence for staff.
    pub why: &'static str,
}

/// How far an unpaid fee went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Escalation {
    /// When all parties are told that a payment is outstanding.
    pub all_parties_notice_at: Option<DateTime<Utc>>,
    /// When the file is closed.
    pub close_at: Option<DateTime<Utc>>,
    /// Whether contact then needs a new referral.
    pub new_referral_required: bool,
}

/// What the rules make of the facts, with the whole plan if nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The first effective cancellation came with less than the notice hours, or a named party did
    /// not come.
    pub late: bool,
    /// The charge assessed, 0 if none.
    pub charge: Money,
    /// Who has to pay it.
    pub liable: Option<Parent>,
    /// When the charge was incurred.
    pub incurred_at: Option<DateTime<Utc>>,
    /// It was incurred by staying away, not by a message.
    pub by_no_show: bool,
    /// The last instant at which a cancellation is in time.
    pub cut_off: DateTime<Utc>,
    /// The deadline for note or fee that was in force last, passed or not.
    pub deadline: Option<DateTime<Utc>>,
    /// Until when (exclusive) an unpaid fee can be paid before the file is closed, as planned last.
    pub pay_until: Option<DateTime<Utc>>,
    /// How the case stands from which instant on; before the first one it is clear.
    pub states: Vec<(DateTime<Utc>, Standing)>,
    /// How far an unpaid fee goes.
    pub escalation: Escalation,
    /// All notices, by instant, kind and recipient.
    pub notices: Vec<Notice>,
    /// Why, step by step.
    pub steps: Vec<Step>,
}

impl Assessment {
    /// How the case stands at an instant, with everything that happens at that very instant.
    pub fn standing_at(&self, at: DateTime<Utc>) -> Standing {
        let n = self.states.partition_point(|(t, _)| *t <= at);
        n.checked_sub(1)
            .and_then(|n| self.states.get(n))
            .map_or(Standing::CLEAR, |(_, s)| *s)
    }
}

/// Whether a doctor's note can end a fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// It cannot.
    Closed,
    /// It cannot: not all the children were ill. Another count opens it.
    NotAll,
    /// It can, if it is about this person and names at least so many children.
    Open(About, u32),
    /// A child of several is ill and nobody said how many (choice C16).
    Uncounted,
}

impl Route {
    /// Seed 001: the child's illness, and the contact parent's own ("the same rules apply as the
    /// child being unwell").
    fn of(by: Parent, reason: Reason, ill: Option<u32>, children: u32) -> Route {
        match (reason, by) {
            (Reason::IllSelf, Parent::Contact) => Route::Open(About::Contact, 0),
            (Reason::IllChild, _) if children <= 1 => Route::Open(About::Child, 1),
            (Reason::IllChild, _) => match ill {
                None => Route::Uncounted,
                // "If multiple children attend contact and one is ill, then the others will be
                // required to be made available."
                Some(n) if n < children => Route::NotAll,
                Some(_) => Route::Open(About::Child, children),
            },
            _ => Route::Closed,
        }
    }

    /// Whether a note can end the fee.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Route::Open(..) | Route::Uncounted)
    }

    /// The way of the note once staff counted the ill children; `None` if nothing hangs on their
    /// number.
    pub(super) fn counted(self, ill: u32, children: u32) -> Option<Route> {
        let by_number = children > 1
            && matches!(
                self,
                Route::Uncounted | Route::NotAll | Route::Open(About::Child, _)
            );
        by_number.then_some(if ill < children {
            Route::NotAll
        } else {
            Route::Open(About::Child, children)
        })
    }

    /// Whether a note ends the fee: the right person, the date, all the children who were said to
    /// be ill (choices C16, C17).
    pub(super) fn accepts(self, note: &Note, date: NaiveDate, children: u32) -> bool {
        let (about, need, unsaid) = match self {
            Route::Closed | Route::NotAll => return false,
            Route::Open(about, need) => (about, need, true),
            Route::Uncounted => (About::Child, children, false),
        };
        note.about == about
            && note.from <= date
            && date <= note.to
            && note.children.map_or(unsaid, |n| n >= need)
    }
}

/// A charge and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Fee {
    pub(super) charge: i64,
    pub(super) liable: Parent,
    /// The session's time when it was incurred: a note is for that day, and deadlines lie after it.
    pub(super) slot: Slot,
    pub(super) state: FeeState,
    pub(super) paid: i64,
    pub(super) route: Route,
    /// When it was incurred.
    pub(super) incurred_at: DateTime<Utc>,
    /// By a cancellation (choice C28 asks for one), not by a no-show.
    pub(super) by_message: bool,
    /// Since when the present obligation stands: a deadline lies after it.
    pub(super) since: DateTime<Utc>,
    /// When the note was asked for.
    pub(super) asked_at: DateTime<Utc>,
    /// Start of the contact for which the reminder went.
    pub(super) reminded: Option<DateTime<Utc>>,
    pub(super) deadline_passed: bool,
    pub(super) deadline_told: Option<DateTime<Utc>>,
}

/// Whether the session takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    On,
    Off,
    /// It did not happen and it is not known through whom.
    Undecided,
}

/// The facts being taken one after the other.
pub(super) struct Run<'a> {
    pub(super) facts: &'a Facts,
    pub(super) later: Vec<LaterSession>,
    pub(super) first_later: Option<usize>,
    pub(super) course: Course,
    pub(super) late: bool,
    pub(super) fee: Option<Fee>,
    pub(super) notes: Vec<Note>,
    pub(super) archived: bool,
    pub(super) stale: bool,
    pub(super) timers: Timers,
    pub(super) escalation: Escalation,
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) pay_until: Option<DateTime<Utc>>,
    pub(super) states: Vec<(DateTime<Utc>, Standing)>,
    pub(super) notices: Vec<Notice>,
    steps: Vec<Step>,
}

/// What is taken next: later sessions before what happened to this one, a message that opens the
/// way of the note before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Later(usize),
    /// The number is a rank among cancellations of one instant.
    Fact(u8, What),
}

/// Assesses one session of a case.
///
/// Pure: the same facts in any order give the same result, and a fact changes nothing before its
/// own instant; the one exception is a note handed in at the next contact and logged later (choice
/// C04).
pub fn assess(facts: &Facts) -> Assessment {
    let mut later = facts.later.clone();
    later.sort_unstable();
    let mut items: Vec<(DateTime<Utc>, Item)> =
        Vec::with_capacity(facts.history.len() + later.len());
    for (n, l) in later.iter().enumerate() {
        items.extend(
            l.booked_at
                .into_iter()
                .chain(l.off.and_then(|(_, at)| at))
                .map(|at| (at, Item::Later(n))),
        );
    }
    items.extend(
        facts
            .history
            .iter()
            .map(|f| (f.at, Item::Fact(rank(f, facts), f.what))),
    );
    items.sort_unstable();
    let mut run = Run {
        facts,
        later,
        first_later: None,
        course: Course::On,
        late: false,
        fee: None,
        notes: Vec::new(),
        archived: false,
        stale: false,
        timers: Timers::default(),
        escalation: Escalation::default(),
        deadline: None,
        pay_until: None,
        states: Vec::with_capacity(4),
        notices: Vec::with_capacity(12),
        steps: Vec::with_capacity(8),
    };
    let mut before = DateTime::<Utc>::MIN_UTC;
    for (n, (at, item)) in items.iter().enumerate() {
        // What lies at the very instant of a fact comes after it: at the deadline itself is still
        // in time (choices C04, C30).
        run.run_until(before, Some(*at));
        match item {
            Item::Later(n) => run.later_changed(*n),
            Item::Fact(_, what) => {
                let tied = items[n + 1..]
                    .iter()
                    .take_while(|(t, _)| t == at)
                    .any(|(_, i)| rivals(what, i));
                run.take(*at, what, tied);
            }
        }
        run.stand(*at);
        before = *at;
    }
    run.run_until(before, None);
    run.finish()
}

/// Of several cancellations of one instant the one that opens the way of the note is taken first;
/// others in the order of their kinds.
fn rank(f: &Fact, facts: &Facts) -> u8 {
    match f.what {
        What::CentreCancelled { .. } => 0,
        What::Cancelled {
            by,
            reason,
            ill,
            only_some: false,
        } if Route::of(by, reason, ill, facts.case.children).is_open() => 1,
        _ => 2,
    }
}

/// Whether two cancellations of one instant are by different parents.
fn rivals(a: &What, b: &Item) -> bool {
    matches!((a, b), (What::Cancelled { by: a, only_some: false, .. }, Item::Fact(_, What::Cancelled { by: b, only_some: false, .. })) if a != b)
}

impl Run<'_> {
    pub(super) fn step(&mut self, at: DateTime<Utc>, rule: &'static str, why: &'static str) {
        self.steps.push(Step { at, rule, why });
    }

    /// The time of the session that was in force at an instant.
    pub(super) fn slot(&self, at: DateTime<Utc>) -> Slot {
        self.facts
            .moved
            .iter()
            .filter(|(until, _)| at < *until)
            .min_by_key(|(until, _)| *until)
            .map_or(self.facts.session, |(_, slot)| *slot)
    }

    fn finish(mut self) -> Assessment {
        self.notices.sort_unstable();
        let charge = self.fee.as_ref().map_or(0, |f| f.charge);
        Assessment {
            late: self.late,
            charge: self.facts.rules.fee.with(charge),
            liable: self.fee.as_ref().map(|f| f.liable),
            incurred_at: self.fee.as_ref().map(|f| f.incurred_at),
            by_no_show: self.fee.as_ref().is_some_and(|f| !f.by_message),
            cut_off: cut_off(self.facts.session.start, self.facts.rules.notice_hours),
            deadline: self.deadline,
            pay_until: self.pay_until,
            states: self.states,
            escalation: self.escalation,
            notices: self.notices,
            steps: self.steps,
        }
    }

    fn take(&mut self, at: DateTime<Utc>, what: &What, tied: bool) {
        match *what {
            What::CentreCancelled { closure } => self.centre_cancelled(at, closure),
            What::Cancelled {
                by,
                only_some: true,
                ..
            } => {
                self.tell(at, NoticeKind::CancellationAck, by, "ack");
                self.review(at, Topic::SomeChildren, "several_children");
                self.step(
                    at,
                    "several_children",
                    "Only some of the children stay away: the session takes place.",
                );
            }
            What::Cancelled {
                by, reason, ill, ..
            } => self.cancelled(
                at,
                by,
                Route::of(by, reason, ill, self.facts.case.children),
                tied,
            ),
            What::NoShow(absent) => self.no_show(at, absent),
            What::Yes(by) => self.yes(at, by),
            What::Reinstated => self.reinstated(at),
            What::IllCounted(n) => self.ill_counted(at, n),
            What::Note(note) => {
                self.notes.push(note);
                self.note(at, &note);
            }
            What::ManagerWaived => self.waive(at, "manager", "The manager waives the fee."),
            What::ManagerWroteOff => self.write_off(at),
            What::Paid(minor) => self.pay(at, minor),
            What::DeadlineTold(deadline) => {
                let starts_clock = self.facts.rules.pay_clock == PayClock::WhenTold;
                if let Some(fee) = self.fee.as_mut() {
                    if starts_clock && fee.deadline_told.is_none() {
                        fee.since = fee.since.max(at);
                    }
                    fee.deadline_told =
                        Some(fee.deadline_told.map_or(deadline, |t| t.max(deadline)));
                    self.stale = true;
                }
            }
            What::AllPartiesTold => self.told_all(at),
            // Whoever owes nothing starts no clock, but the days that run count from the later
            // telling.
            What::OtherPartyTold if self.timers.close.is_none() => {}
            What::OtherPartyTold => self.told_all(at),
            What::OwedAgain => self.owed_again(at),
        }
    }
}
