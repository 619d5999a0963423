//! The table of the last look: every kind of message in every situation.
//!
//! `tests/data/last_look.txt` is written for a co-ordinator to read. A change of behaviour shows
//! there first; `COURTESY_REWRITE=1 cargo test --lib last_look` writes the table anew.

use super::*;
use crate::domain::dedup_key::MessageKey;
use crate::domain::ids::{
    CancelQuestionId, CaseId, ChoiceId, DateQuestionId, MessageId, PartyId, SessionId,
};
use crate::domain::outgoing::message::MessageKind as Kind;
use crate::domain::outgoing::whatsapp::ContentSids;
use crate::domain::people::role::Role;
use crate::domain::visits::attendee::{Attendee, Session};
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TABLE: &str = include_str!("../../../../tests/data/last_look.txt");
const HEAD: &str = "\
# The last look before a text leaves.
#
# Birchfield's clock shows Thursday 26 November 2026, 10:00. The visit is on Saturday 28 November,
# 10:00 to 12:00. Quiet hours are 20:00 to 08:00. Texts to one phone keep ten minutes apart, at most
# four a day. The reader is one parent; the other one is never named and never looked at.
#
# Each row: what happens | the task that a person gets | the kinds of message for which it is so.
# A kind that a situation does not name is sent, as in the first one.
#
# How to read it:
# - When texts about money, notes and milestones may go (office hours, quiet hours, the phone's own
#   hours) is worked out beforehand. The situations about the office show it, so those about quiet
#   hours do not name these texts.
# - A text that is queued for later, such as session_off at 10:30, is not looked at before that.
# - Some rows cannot happen, such as session_off for a visit that took place. They are here because
#   the table is complete.
# - 'withdrawn: moved' means that the text speaks of a visit that is no longer as it was.
#   'withdrawn: quiet_mode' means that the phone may not show it, now or at all.
# - The daily maximum is counted over 24 hours; a text that it holds back is looked at every hour.
#
# Three kinds are never queued: please_ring and discreet_request are what a discreet phone gets
# instead of another text, no_longer_in_use takes the place of old texts in a chat.
";

/// Kinds that are never queued by themselves.
const NEVER_QUEUED: [Kind; 3] = [Kind::PleaseRing, Kind::DiscreetRequest, Kind::NoLongerInUse];

/// One message in one situation, with everything that is looked at.
struct Scene {
    now: DateTime<Utc>,
    message: ClaimedMessage,
    centre: Centre,
    channel: Channel,
    only_to: Vec<String>,
    contents: Contents,
    attendee: Option<AttendeeContext>,
    session_busy: bool,
    closed: bool,
    address_mode: Option<Mode>,
    cancel_question: Option<OpenCancelQuestion>,
    question_open: bool,
    money: Option<MoneyFacts>,
    milestone: Option<MilestoneFacts>,
    pace: HashMap<String, (DateTime<Utc>, i64)>,
    last_inbound: HashMap<String, DateTime<Utc>>,
}

const SMS: &str = "+447700900101";

fn at(s: &str) -> DateTime<Utc> {
    s.parse().unwrap()
}

fn recipient(channel: Channel) -> Recipient {
    let value = match channel {
        Channel::Telegram => "42",
        _ => SMS,
    };
    (
        Address::read(channel, value).unwrap(),
        format!("hash of {channel}"),
    )
}

fn route(channel: Channel) -> Route {
    let (address, hash) = recipient(channel);
    Route {
        address,
        hash,
        opted_out: false,
    }
}

fn payload(kind: Kind) -> Payload {
    let arrival = NaiveDate::from_ymd_opt(2026, 11, 28)
        .unwrap()
        .and_hms_opt(10, 0, 0)
        .unwrap();
    match kind {
        Kind::CancelReasonAsk => Payload::CancelQuestion(CancelQuestionId::new("q")),
        Kind::WhichSession => Payload::WhichVisit {
            choice: ChoiceId::new("c"),
            options: [(None, arrival), (None, arrival)],
        },
        Kind::DateQuestion => Payload::AnotherDate {
            question: DateQuestionId::new("d"),
            arrival: at("2026-11-29T10:00:00Z"),
        },
        Kind::CancellationAck => Payload::CancelledInTime(true),
        Kind::SessionMoved => Payload::OldArrival(at("2026-11-28T14:00:00Z")),
        Kind::FeeChange => Payload::RulesFrom(arrival.date()),
        Kind::LinkNumber => Payload::LinkNumber("4711".into()),
        Kind::StaffReply => Payload::StaffText("See you then.".into()),
        Kind::StaffAlert => Payload::UrgentTasks(1),
        kind if kind.is_money() => Payload::VisitDay(arrival.date()),
        _ => Payload::None,
    }
}

fn attendee(state: SessionState) -> AttendeeContext {
    let start = at("2026-11-28T10:00:00Z");
    let end = at("2026-11-28T12:00:00Z");
    AttendeeContext {
        session: Session {
            id: SessionId::new("s"),
            case_id: CaseId::new("c"),
            case_ref: "BRK-0101".into(),
            centre: "BRK".into(),
            starts_at: start,
            ends_at: end,
            start_local: start.naive_utc(),
            contact_type: "supported".into(),
            state,
            version: 1,
            cancelled_by: None,
            cancelled_at: None,
            notice_hours: 48,
            fee_minor: 4500,
            moved: None,
        },
        attendee: Attendee {
            session_id: SessionId::new("s"),
            role: Role::Resident,
            party_id: PartyId::new("p"),
            arrives_at: start,
            leaves_at: end,
            ask_version: 1,
            ask_known: start - Duration::days(30),
            ask_at: None,
            asked: String::new(),
            answer: Answer::None,
            answered_at: None,
            hears_at: None,
            undo_until: None,
            undo_from: None,
            decided_at: None,
        },
        archived: false,
        consent: Consent::Yes,
        mode: Mode::Normal,
        language: "en".into(),
        quiet: None,
        routes: vec![route(Channel::Sms)],
    }
}

/// The message as it is when nothing stands against it.
fn scene(kind: Kind) -> Scene {
    let now = at("2026-11-26T10:00:00Z");
    let state = match kind {
        Kind::SessionOff => SessionState::Cancelled,
        Kind::Closure => SessionState::Closed,
        _ => SessionState::Booked,
    };
    let money = kind.is_money().then(|| MoneyFacts {
        say: Some(Say::NoteRequest {
            date: NaiveDate::from_ymd_opt(2026, 11, 28).unwrap(),
        }),
        allowed: Some(now),
        in_danger: false,
    });
    let milestone = kind.is_milestone().then_some(MilestoneFacts {
        task_open: true,
        in_danger: false,
        allowed: Some(now),
    });
    let mut centre = Centre::parse(include_str!("../../../simulator/birchfield.toml")).unwrap();
    centre.milestone_texts = Kind::ALL
        .iter()
        .copied()
        .filter(|k| k.is_milestone())
        .collect();
    Scene {
        now,
        message: ClaimedMessage {
            id: MessageId::new("m"),
            dedup_key: MessageKey::stored("key"),
            kind,
            centre: "BRK".into(),
            case_id: Some(CaseId::new("c")),
            role: Some(Role::Resident),
            session: Some((SessionId::new("s"), 1, 1)),
            to: (kind.is_answer() || kind == Kind::StaffAlert).then(|| recipient(Channel::Sms)),
            to_opted_out: false,
            payload: payload(kind),
            not_before: now,
            not_after: Some(at("2026-11-28T10:00:00Z")),
            tries: 0,
            excluded_channel: None,
        },
        centre,
        channel: Channel::Sms,
        only_to: Vec::new(),
        contents: Contents::default(),
        attendee: Some(attendee(state)),
        session_busy: false,
        closed: false,
        address_mode: None,
        cancel_question: Some(OpenCancelQuestion {
            code_prefix: "527".into(),
            only_code: None,
            asks_reason: true,
            late: true,
        }),
        question_open: true,
        money,
        milestone,
        pace: HashMap::new(),
        last_inbound: HashMap::new(),
    }
}

impl Scene {
    fn reader(&mut self) -> &mut AttendeeContext {
        self.attendee.as_mut().unwrap()
    }

    fn decide(&self) -> Decision {
        let pace = Pace::new(self.pace.clone());
        decide(&Snapshot {
            now: self.now,
            message: &self.message,
            centre: Some(&self.centre),
            line: LineFacts {
                channel: self.channel,
                only_to: &self.only_to,
                contents: &self.contents,
            },
            attendee: self.attendee.as_ref(),
            session_busy: self.session_busy,
            reply_to: ReplyAddress {
                closed: self.closed,
                mode: self.address_mode,
                language: None,
            },
            cancel_question: self.cancel_question.clone(),
            question_open: self.question_open,
            money: self.money.clone(),
            milestone: self.milestone.clone(),
            pace: &pace,
            last_inbound: &self.last_inbound,
            template_language: &|_, _| "en",
        })
    }

    /// The phone is reached by this channel alone, and the message was claimed for it.
    fn by(&mut self, channel: Channel) {
        self.channel = channel;
        self.reader().routes = vec![route(channel)];
        if self.message.to.is_some() {
            self.message.to = Some(recipient(channel));
        }
    }

    fn mode(&mut self, mode: Mode) {
        self.reader().mode = mode;
        self.address_mode = Some(mode);
    }

    fn on_saturday_at(&mut self, time: &str) {
        self.now = at(&format!("2026-11-28T{time}:00Z"));
    }
}

type Situation = (&'static str, fn(&mut Scene));

/// Every reason to stop, wait or go another way.
const SITUATIONS: &[Situation] = &[
    ("Nothing stands against it", |_| {}),
    ("The text's time is over", |s| {
        s.message.not_after = Some(s.now)
    }),
    ("It would be valid for less than a minute", |s| {
        s.message.not_after = Some(s.now + Duration::seconds(59));
    }),
    (
        "Somebody is recording something about the visit at this moment",
        |s| s.session_busy = true,
    ),
    (
        "Somebody else called the visit off, and this parent has been told",
        |s| {
            s.reader().session.state = SessionState::Cancelled;
            s.reader().attendee.hears_at = Some(at("2026-11-26T09:45:00Z"));
        },
    ),
    (
        "Somebody else called the visit off; until 10:30 this parent must notice nothing",
        |s| {
            s.reader().session.state = SessionState::Cancelled;
            s.reader().attendee.hears_at = Some(at("2026-11-26T10:30:00Z"));
        },
    ),
    ("This parent called the visit off", |s| {
        s.reader().session.state = SessionState::Cancelled;
        s.reader().attendee.answer = Answer::Cancelled;
    }),
    ("The visit was called off and is on again", |s| {
        s.reader().session.state = SessionState::Booked;
    }),
    ("The centre is closed on that day", |s| {
        s.reader().session.state = SessionState::Closed;
    }),
    ("The visit took place", |s| {
        s.reader().session.state = SessionState::Attended;
    }),
    (
        "The visit was moved since, so the question has a new version",
        |s| {
            s.reader().attendee.ask_version = 2;
        },
    ),
    ("This parent has confirmed", |s| {
        s.reader().attendee.answer = Answer::Confirmed;
    }),
    ("The file is closed", |s| s.reader().archived = true),
    ("This parent sent STOP", |s| {
        s.reader().routes[0].opted_out = true;
        s.message.to_opted_out = true;
    }),
    ("Staff recorded that this parent wants no messages", |s| {
        s.reader().consent = Consent::Stop;
    }),
    ("This parent never agreed to messages", |s| {
        s.reader().consent = Consent::No;
    }),
    ("This parent has no safe address any more", |s| {
        s.reader().routes.clear();
        s.closed = true;
    }),
    ("The phone is discreet", |s| s.mode(Mode::Discreet)),
    ("The phone is silent", |s| s.mode(Mode::Silent)),
    (
        "This text answers the message that made the phone discreet: it looks as it would have before",
        |s| {
            s.mode(Mode::Discreet);
            if matches!(
                s.message.kind,
                Kind::NeedsCoordinatorAck | Kind::UnclearReply
            ) {
                s.message.payload = Payload::ModeBefore(Mode::Normal);
            }
        },
    ),
    ("It is three in the morning on Friday", |s| {
        s.now = at("2026-11-27T03:00:00Z");
    }),
    (
        "It is half past seven on the morning of the visit, in quiet hours",
        |s| {
            s.on_saturday_at("07:30");
            s.message.not_after = Some(at("2026-11-28T12:00:00Z"));
        },
    ),
    ("The phone shows nothing between 09:00 and 17:00", |s| {
        s.reader().quiet = Some(Quiet {
            from: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
            to: NaiveTime::from_hms_opt(17, 0, 0).unwrap(),
        });
    }),
    (
        "The phone shows nothing between 07:00 and 17:00, and the visit is today at ten",
        |s| {
            s.on_saturday_at("08:30");
            s.message.not_after = Some(at("2026-11-28T12:00:00Z"));
            s.reader().quiet = Some(Quiet {
                from: NaiveTime::from_hms_opt(7, 0, 0).unwrap(),
                to: NaiveTime::from_hms_opt(17, 0, 0).unwrap(),
            });
        },
    ),
    ("Another text went to this phone two minutes ago", |s| {
        let two_minutes_ago = s.now - Duration::minutes(2);
        s.pace
            .insert(recipient(Channel::Sms).1, (two_minutes_ago, 1));
    }),
    ("The phone had four texts today", |s| {
        s.pace
            .insert(recipient(Channel::Sms).1, (s.now - Duration::hours(1), 4));
    }),
    (
        "Another text went two minutes ago, and the visit is in an hour",
        |s| {
            s.on_saturday_at("09:00");
            let two_minutes_ago = s.now - Duration::minutes(2);
            s.pace
                .insert(recipient(Channel::Sms).1, (two_minutes_ago, 4));
        },
    ),
    (
        "A pilot is running, and this number is not part of it",
        |s| {
            s.only_to = vec!["+447700900999".into()];
        },
    ),
    (
        "The parent wants Telegram now; the text was queued for SMS",
        |s| {
            s.reader().routes.insert(0, route(Channel::Telegram));
        },
    ),
    ("It goes by Telegram", |s| s.by(Channel::Telegram)),
    (
        "It goes by WhatsApp, and this parent wrote an hour ago",
        |s| {
            s.by(Channel::Whatsapp);
            s.last_inbound
                .insert(recipient(Channel::Whatsapp).1, s.now - Duration::hours(1));
        },
    ),
    ("It goes by WhatsApp, and this parent never wrote", |s| {
        s.by(Channel::Whatsapp);
    }),
    (
        "It goes by WhatsApp, this parent never wrote, and SMS is agreed too",
        |s| {
            s.by(Channel::Whatsapp);
            s.reader().routes.push(route(Channel::Sms));
        },
    ),
    (
        "It goes by WhatsApp, this parent never wrote, and a content template is set",
        |s| {
            s.by(Channel::Whatsapp);
            let mut all = ContentSids::default();
            for name in whatsapp::names() {
                all.set("", name, "HX1".into());
            }
            s.contents = Contents {
                all,
                ..Contents::default()
            };
        },
    ),
    ("WhatsApp refused it before, and SMS is agreed too", |s| {
        s.by(Channel::Whatsapp);
        s.last_inbound
            .insert(recipient(Channel::Whatsapp).1, s.now - Duration::hours(1));
        s.reader().routes.push(route(Channel::Sms));
        s.message.excluded_channel = Some(Channel::Whatsapp);
    }),
    (
        "The question that it asks was answered, or has lapsed",
        |s| {
            s.cancel_question = None;
            s.question_open = false;
        },
    ),
    ("What it says about money no longer applies", |s| {
        if let Some(money) = &mut s.money {
            money.say = None;
        }
    }),
    ("A task about the safety of this very parent is open", |s| {
        if let Some(money) = &mut s.money {
            money.in_danger = true;
        }
        if let Some(milestone) = &mut s.milestone {
            milestone.in_danger = true;
        }
    }),
    ("The office opens at noon", |s| {
        let noon = Some(at("2026-11-26T12:00:00Z"));
        if let Some(money) = &mut s.money {
            money.allowed = noon;
        }
        if let Some(milestone) = &mut s.milestone {
            milestone.allowed = noon;
        }
    }),
    ("The office does not open before its time is over", |s| {
        let monday = Some(at("2026-11-30T10:00:00Z"));
        if let Some(money) = &mut s.money {
            money.allowed = monday;
        }
        if let Some(milestone) = &mut s.milestone {
            milestone.allowed = monday;
        }
    }),
    ("Office hours and quiet hours leave no moment at all", |s| {
        if let Some(money) = &mut s.money {
            money.allowed = None;
        }
        if let Some(milestone) = &mut s.milestone {
            milestone.allowed = None;
        }
    }),
    ("The task behind it is done", |s| {
        if let Some(milestone) = &mut s.milestone {
            milestone.task_open = false;
        }
    }),
    ("The centre does not want texts about milestones", |s| {
        s.centre.milestone_texts.clear();
    }),
    ("The address belongs to nobody on file", |s| {
        s.attendee = None;
        s.message.session = None;
        s.message.case_id = None;
    }),
];

fn in_words(kind: Kind, s: &Scene, d: &Decision) -> (String, String) {
    let local = |t: DateTime<Utc>| wall(s.centre.tz, t).format("%a %H:%M");
    let what = match &d.verdict {
        Verdict::Send(text) => {
            let mut what = "send".to_owned();
            // The scene has one text for all kinds about money.
            if text.say.kind() != kind && !kind.is_money() {
                let _ = write!(what, " {} instead", text.say.kind());
            }
            if let Delivery::Content(_) = text.delivery {
                what.push_str(" as a content template");
            }
            what
        }
        Verdict::Later(t) if *t - s.now < Duration::minutes(1) => "in a moment".to_owned(),
        Verdict::Later(t) => format!("later, {}", local(*t)),
        Verdict::AskManager => "a manager first".to_owned(),
        Verdict::Reroute { channel, .. } => format!("by {channel} instead"),
        Verdict::End(state, why) => format!("{state}: {why}"),
    };
    let task = d.task.map_or("-", TaskKind::as_str);
    (what, task.to_owned())
}

fn table() -> String {
    let mut out = HEAD.to_owned();
    for (title, change) in SITUATIONS {
        let mut rows: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
        let first = out == HEAD;
        for kind in Kind::ALL.iter().filter(|k| !NEVER_QUEUED.contains(k)) {
            let mut s = scene(*kind);
            let before = in_words(*kind, &s, &s.decide());
            change(&mut s);
            let now = in_words(*kind, &s, &s.decide());
            if first || now != before {
                rows.entry(now).or_default().push(kind.as_str());
            }
        }
        let _ = write!(out, "\n## {title}\n");
        if rows.is_empty() {
            out.push_str("no difference\n");
        }
        for ((what, task), kinds) in rows {
            let head = format!("{what:<30} | {task:<16} | ");
            let mut line = head.clone();
            for kind in kinds {
                if line.len() + kind.len() > 100 {
                    let _ = writeln!(out, "{}", line.trim_end_matches([',', ' ']));
                    line = head.clone();
                }
                let _ = write!(line, "{kind}, ");
            }
            let _ = writeln!(out, "{}", line.trim_end_matches([',', ' ']));
        }
    }
    out
}

#[test]
fn the_last_look_decides_as_the_table_says() {
    let now = table();
    if std::env::var_os("COURTESY_REWRITE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/last_look.txt");
        std::fs::write(path, &now).unwrap();
        return;
    }
    let row = now
        .lines()
        .zip(TABLE.lines())
        .find(|(now, table)| now != table);
    assert!(now == TABLE, "tests/data/last_look.txt differs: {row:#?}");
}

#[test]
fn a_cancellation_is_finished_as_channel_and_centre_allow() {
    let finish = |change: fn(&mut Scene)| {
        let mut s = scene(Kind::CancelReasonAsk);
        change(&mut s);
        match s.decide().verdict {
            Verdict::Send(text) => match text.say {
                Say::CancelReasonAsk { finish, .. } => finish,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let late = true;
    assert_eq!(
        finish(|_| {}),
        FinishBy::CodeWithReason {
            code_prefix: "527".into()
        }
    );
    assert_eq!(
        finish(|s| {
            let q = s.cancel_question.as_mut().unwrap();
            q.only_code = Some("5271".into());
            q.asks_reason = false;
        }),
        FinishBy::Code {
            code: "5271".into(),
            late
        }
    );
    assert_eq!(
        finish(|s| s.centre.rules.cancel_answer = CancelAnswer::Word),
        FinishBy::Word { late }
    );
    assert_eq!(
        finish(|s| s.by(Channel::Telegram)),
        FinishBy::Press { late, reason: true }
    );
    assert_eq!(
        finish(|s| {
            s.by(Channel::Whatsapp);
            s.last_inbound
                .insert(recipient(Channel::Whatsapp).1, s.now - Duration::hours(1));
        }),
        FinishBy::Word { late }
    );
}

#[test]
fn the_printed_cut_off_is_the_readers_own() {
    let cut_off = |change: fn(&mut Scene)| {
        let mut s = scene(Kind::ConfirmRequest);
        s.now = at("2026-11-25T10:00:00Z");
        change(&mut s);
        match s.decide().verdict {
            Verdict::Send(text) => match text.say {
                Say::ConfirmRequest { cut_off, .. } => {
                    cut_off.map(|t| t.format("%a %H:%M").to_string())
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(cut_off(|_| {}), Some("Thu 10:00".into()));
    // Whoever arrives before the start counts from their own arrival.
    assert_eq!(
        cut_off(|s| s.reader().attendee.arrives_at = at("2026-11-28T09:45:00Z")),
        Some("Thu 09:45".into())
    );
    // Whoever arrives after it reads a full hour that gives nothing away.
    assert_eq!(
        cut_off(|s| s.reader().attendee.arrives_at = at("2026-11-28T10:15:00Z")),
        Some("Thu 09:00".into())
    );
    // A moment that has passed is not printed.
    assert_eq!(cut_off(|s| s.now = at("2026-11-26T10:00:00Z")), None);
}
