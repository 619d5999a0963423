//! Sample messages of every kind: for the tests, for checking templates, and for counting the SMS
//! segments of the longest text.

use crate::domain::money::amount::Money;
use crate::domain::outgoing::message::MessageKind;
use crate::domain::outgoing::say::{FinishBy, Say, Speaker};
use crate::domain::outgoing::segments::is_gsm;
use crate::templates::language::Language;
use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};

/// The values in the samples.
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
    /// The last day to pay.
    pub last_day: NaiveDate,
    /// Fees.
    pub amounts: Vec<Money>,
    /// The centre's name, where a text has to tell two centres apart.
    pub at_centre: Option<String>,
    /// Numbers of open tasks.
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

    /// The values that make the longest texts in this language. The second set, if there is one,
    /// uses the longest day and time with a letter outside the GSM alphabet, which more than
    /// doubles the segments. `fee` is the centre's.
    pub fn longest(language: &Language, fee: Money) -> Vec<Values> {
        let first = at(2026, 1, 1, 0, 0).date();
        let days: Vec<NaiveDate> = (0..366 * 2).map(|n| first + Duration::days(n)).collect();
        let times: Vec<NaiveTime> = (0..24)
            .flat_map(|h| [0, 30].map(|m| at(2026, 1, 1, h, m).time()))
            .collect();
        let longest = |outside_gsm: bool| {
            let wanted = |s: &str| {
                if outside_gsm && is_gsm(s) {
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

/// A centre to speak in the samples.
pub fn sample_speaker() -> Speaker {
    Speaker {
        centre: String::new(),
        short_name: "Birchfield".into(),
        phone: "020 7946 0101".into(),
        emergency_number: "999".into(),
        languages: Vec::new(),
    }
}

/// The samples of every kind.
pub fn samples() -> Vec<Say> {
    MessageKind::ALL
        .iter()
        .flat_map(|kind| samples_of(*kind, &Values::usual()))
        .collect()
}

/// The samples of one kind: every form that it can take.
pub fn samples_of(kind: MessageKind, v: &Values) -> Vec<Say> {
    let (arrival, other, date) = (v.arrival, v.other, v.arrival.date());
    match kind {
        MessageKind::ConfirmRequest => [(Some(v.cut_off), true), (None, true), (None, false)]
            .map(|(cut_off, fee)| Say::ConfirmRequest {
                arrival,
                cut_off,
                fee,
            })
            .into(),
        MessageKind::ConfirmAck => vec![Say::ConfirmAck { arrival }],
        MessageKind::CancelReasonAsk => every_finish()
            .map(|finish| Say::CancelReasonAsk { arrival, finish })
            .into(),
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
        MessageKind::StaffAlert => {
            let alert = |count: &i64| Say::StaffAlert { count: *count };
            v.tasks.iter().map(alert).collect()
        }
        MessageKind::FeeNotice => {
            let notice = |amount: &Money| Say::FeeNotice {
                amount: *amount,
                date,
            };
            v.amounts.iter().map(notice).collect()
        }
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

/// Every way to finish a cancellation.
fn every_finish() -> [FinishBy; 7] {
    let code = |late| FinishBy::Code {
        code: "5274".into(),
        late,
    };
    let press = |late| FinishBy::Press { late, reason: late };
    [
        FinishBy::CodeWithReason {
            code_prefix: "527".into(),
        },
        code(true),
        FinishBy::Word { late: true },
        press(true),
        code(false),
        FinishBy::Word { late: false },
        press(false),
    ]
}
