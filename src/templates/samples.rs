//! Samples of everything that can be said: for the tests, for reading the templates over, and for
//! counting what the longest text costs.

use crate::domain::money::policy::Money;
use crate::domain::outgoing::message::Kind;
use crate::domain::outgoing::say::{FinishBy, Say, Speaker};
use crate::domain::outgoing::segments::is_gsm;
use crate::templates::language::Tongue;
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};

/// The values that samples are made of.
#[derive(Debug, Clone)]
pub struct Values {
    /// The party's own arrival.
    pub arrival: NaiveDateTime,
    /// Another arrival of theirs.
    pub other: NaiveDateTime,
    /// The last moment without a fee.
    pub cut_off: NaiveDateTime,
    /// The day of the next contact.
    pub next: NaiveDate,
    /// The last day on which can be paid.
    pub last_day: NaiveDate,
    /// Fees.
    pub amounts: Vec<Money>,
    /// The name of a centre, where two of them are told apart.
    pub at_centre: Option<String>,
    /// How many tasks wait.
    pub tasks: Vec<i64>,
}

fn at(y: i32, m: u32, d: u32, hour: u32, minute: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(y, m, d)
        .and_then(|d| d.and_hms_opt(hour, minute, 0))
        .unwrap_or_default()
}

impl Values {
    /// A Saturday at ten.
    pub fn usual() -> Values {
        let amount = |minor, currency: &[u8; 3]| Money {
            minor,
            currency: *currency,
        };
        Values {
            arrival: at(2026, 11, 28, 10, 0),
            other: at(2026, 11, 29, 14, 0),
            cut_off: at(2026, 11, 26, 10, 0),
            next: at(2026, 12, 12, 0, 0).date(),
            last_day: at(2026, 12, 19, 0, 0).date(),
            amounts: vec![
                amount(4500, b"GBP"),
                amount(4550, b"GBP"),
                amount(4500, b"EUR"),
            ],
            at_centre: None,
            tasks: vec![1, 3],
        }
    }

    /// The values that make the longest texts in this language: the longest day and time, and the
    /// longest with a letter that doubles the cost of a text, if there is one. `fee` is the
    /// centre's.
    pub fn longest(tongue: &Tongue, fee: Money) -> Vec<Values> {
        let first = at(2026, 1, 1, 0, 0).date();
        let days: Vec<NaiveDate> = (0..366 * 2).map(|n| first + Duration::days(n)).collect();
        let times: Vec<NaiveTime> = (0..24)
            .flat_map(|h| [0, 30].map(|m| at(2026, 1, 1, h, m).time()))
            .collect();
        let longest = |loud: bool| {
            let wanted = |s: &str| {
                if loud && is_gsm(s) {
                    0
                } else {
                    s.chars().count()
                }
            };
            let day = days.iter().max_by_key(|d| wanted(&tongue.day(**d)))?;
            let time = times.iter().max_by_key(|t| wanted(&tongue.time(**t)))?;
            Some(Values {
                arrival: day.and_time(*time),
                other: day.and_time(*time),
                cut_off: day.and_time(*time),
                next: *day,
                last_day: *day,
                amounts: vec![Money {
                    minor: (fee.minor / 100) * 100 + 99,
                    ..fee
                }],
                at_centre: None,
                tasks: vec![99],
            })
        };
        [longest(false), longest(true)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// A speaker for samples.
pub fn sample_speaker() -> Speaker {
    Speaker {
        centre: String::new(),
        short_name: "Birchfield".into(),
        phone: "020 7946 0101".into(),
        emergency_number: "999".into(),
        languages: Vec::new(),
    }
}

/// One sample or more of every kind.
pub fn samples() -> Vec<Say> {
    Kind::ALL
        .iter()
        .flat_map(|kind| samples_of(*kind, &Values::usual()))
        .collect()
}

/// The samples of a kind: every form that it can take.
pub fn samples_of(kind: Kind, v: &Values) -> Vec<Say> {
    let (arrival, other, date) = (v.arrival, v.other, v.arrival.date());
    match kind {
        Kind::ConfirmRequest => vec![
            Say::ConfirmRequest {
                arrival,
                cut_off: Some(v.cut_off),
                fee: true,
            },
            Say::ConfirmRequest {
                arrival,
                cut_off: None,
                fee: true,
            },
            Say::ConfirmRequest {
                arrival,
                cut_off: None,
                fee: false,
            },
        ],
        Kind::ConfirmAck => vec![Say::ConfirmAck { arrival }],
        Kind::CancelReasonAsk => {
            let mut out = vec![Say::CancelReasonAsk {
                arrival,
                finish: FinishBy::CodeWithReason { stem: "527".into() },
            }];
            for late in [true, false] {
                out.push(Say::CancelReasonAsk {
                    arrival,
                    finish: FinishBy::Code {
                        code: "5274".into(),
                        late,
                    },
                });
                out.push(Say::CancelReasonAsk {
                    arrival,
                    finish: FinishBy::Word { late },
                });
                out.push(Say::CancelReasonAsk {
                    arrival,
                    finish: FinishBy::Press { late, reason: late },
                });
            }
            out
        }
        Kind::CancellationAck => [true, false]
            .map(|in_time| Say::CancellationAck { arrival, in_time })
            .into(),
        Kind::SessionOff => vec![Say::SessionOff { arrival }],
        Kind::SessionOn => vec![Say::SessionOn { arrival }],
        Kind::SessionMoved => vec![Say::SessionMoved {
            from: arrival,
            to: other,
        }],
        Kind::DateQuestion => vec![Say::DateQuestion {
            from: arrival,
            to: other,
        }],
        Kind::DateRefused => vec![Say::DateRefused { arrival }],
        Kind::NeedsCoordinatorAck => vec![Say::Handover],
        Kind::UnclearReply => vec![Say::Unclear],
        Kind::Help => vec![Say::Help],
        Kind::StopAck => vec![Say::StopAck],
        Kind::StartAck => vec![Say::StartAck],
        Kind::UnknownSender => vec![Say::UnknownSender],
        Kind::WhichSession => {
            let later = |t: NaiveDateTime| (v.at_centre.clone(), t + Duration::minutes(15));
            vec![Say::WhichSession {
                first: later(arrival),
                second: later(other),
            }]
        }
        Kind::WrongNumberAck => vec![Say::WrongNumberAck],
        Kind::Closure => vec![Say::Closure { arrival }],
        Kind::PleaseRing => vec![Say::PleaseRing],
        Kind::DiscreetRequest => vec![Say::DiscreetRequest { arrival }],
        Kind::Welcome => vec![Say::Welcome],
        Kind::LinkNumber => vec![Say::LinkNumber {
            number: "4821".into(),
        }],
        Kind::LinkRefused => vec![Say::LinkRefused],
        Kind::OldButton => vec![Say::OldButton],
        Kind::NoLongerInUse => vec![Say::NoLongerInUse],
        Kind::StaffReply => vec![Say::StaffReply {
            text: "Yes, your visit is at 10am as usual.".into(),
        }],
        Kind::StaffAlert => v
            .tasks
            .iter()
            .map(|count| Say::StaffAlert { count: *count })
            .collect(),
        Kind::FeeNotice => v
            .amounts
            .iter()
            .map(|amount| Say::FeeNotice {
                amount: *amount,
                date,
            })
            .collect(),
        Kind::NoteRequest => vec![Say::NoteRequest { date }],
        Kind::NoteReminder => vec![Say::NoteReminder {
            date,
            bring_on: v.next,
        }],
        Kind::FeeSettled => [false, true]
            .map(|file_closed| Say::FeeSettled { date, file_closed })
            .into(),
        Kind::AllPartiesNotice => vec![Say::AllPartiesNotice {
            last_day: v.last_day,
        }],
        Kind::CaseClosed => vec![Say::CaseClosed],
        Kind::ReviewDue => vec![Say::ReviewDue],
        Kind::IntroductionMeeting => vec![Say::IntroductionMeeting],
        Kind::PrevisitInvitation => vec![Say::PrevisitInvitation { arrival }],
        Kind::FeeChange => vec![Say::FeeChange { from: date }],
    }
}
