//! Samples of everything that can be said: for the tests, for reading the templates over, and for
//! counting what the longest text costs.

use crate::domain::money::amount::Money;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say, Speaker};
use crate::domain::outgoing::segments::is_gsm;
use crate::templates::language::Language;
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
    pub fn longest(language: &Language, fee: Money) -> Vec<Values> {
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
            let day = days.iter().max_by_key(|d| wanted(&language.day(**d)))?;
            let time = times.iter().max_by_key(|t| wanted(&language.time(**t)))?;
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
    MessageKind::ALL
        .iter()
        .flat_map(|kind| samples_of(*kind, &Values::usual()))
        .collect()
}

/// The samples of a kind: every form that it can take.
pub fn samples_of(kind: MessageKind, v: &Values) -> Vec<Say> {
    let (arrival, other, date) = (v.arrival, v.other, v.arrival.date());
    match kind {
        MessageKind::ConfirmRequest => vec![
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
        MessageKind::ConfirmAck => vec![Say::ConfirmAck { arrival }],
        MessageKind::CancelReasonAsk => {
            let mut out = vec![Say::CancelReasonAsk {
                arrival,
                finish: FinishBy::CodeWithReason {
                    code_prefix: "527".into(),
                },
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
        MessageKind::CancellationAck => [true, false]
            .map(|in_time| Say::CancellationAck { arrival, in_time })
            .into(),
        MessageKind::SessionOff => vec![Say::SessionOff { arrival }],
        MessageKind::SessionOn => vec![Say::SessionOn { arrival }],
        MessageKind::SessionMoved => vec![Say::SessionMoved {
            from: arrival,
            to: other,
        }],
        MessageKind::DateQuestion => vec![Say::DateQuestion {
            from: arrival,
            to: other,
        }],
        MessageKind::DateRefused => vec![Say::DateRefused { arrival }],
        MessageKind::NeedsCoordinatorAck => vec![Say::Handover],
        MessageKind::UnclearReply => vec![Say::Unclear],
        MessageKind::Help => vec![Say::Help],
        MessageKind::StopAck => vec![Say::StopAck],
        MessageKind::StartAck => vec![Say::StartAck],
        MessageKind::UnknownSender => vec![Say::UnknownSender],
        MessageKind::WhichSession => {
            let later = |t: NaiveDateTime| (v.at_centre.clone(), t + Duration::minutes(15));
            vec![Say::WhichSession {
                first: later(arrival),
                second: later(other),
            }]
        }
        MessageKind::WrongNumberAck => vec![Say::WrongNumberAck],
        MessageKind::Closure => vec![Say::Closure { arrival }],
        MessageKind::PleaseRing => vec![Say::PleaseRing],
        MessageKind::DiscreetRequest => vec![Say::DiscreetRequest { arrival }],
        MessageKind::Welcome => vec![Say::Welcome],
        MessageKind::LinkNumber => vec![Say::LinkNumber {
            number: "4821".into(),
        }],
        MessageKind::LinkRefused => vec![Say::LinkRefused],
        MessageKind::OldButton => vec![Say::OldButton],
        MessageKind::NoLongerInUse => vec![Say::NoLongerInUse],
        MessageKind::StaffReply => vec![Say::StaffReply {
            text: "Yes, your visit is at 10am as usual.".into(),
        }],
        MessageKind::StaffAlert => v
            .tasks
            .iter()
            .map(|count| Say::StaffAlert { count: *count })
            .collect(),
        MessageKind::FeeNotice => v
            .amounts
            .iter()
            .map(|amount| Say::FeeNotice {
                amount: *amount,
                date,
            })
            .collect(),
        MessageKind::NoteRequest => vec![Say::NoteRequest { date }],
        MessageKind::NoteReminder => vec![Say::NoteReminder {
            date,
            bring_on: v.next,
        }],
        MessageKind::FeeSettled => [false, true]
            .map(|file_closed| Say::FeeSettled { date, file_closed })
            .into(),
        MessageKind::AllPartiesNotice => vec![Say::AllPartiesNotice {
            last_day: v.last_day,
        }],
        MessageKind::CaseClosed => vec![Say::CaseClosed],
        MessageKind::ReviewDue => vec![Say::ReviewDue],
        MessageKind::IntroductionMeeting => vec![Say::IntroductionMeeting],
        MessageKind::PrevisitInvitation => vec![Say::PrevisitInvitation { arrival }],
        MessageKind::FeeChange => vec![Say::FeeChange { from: date }],
    }
}
