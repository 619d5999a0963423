//! Conversations by text and in a chat: named dates and times, answers that arrive late or out of
//! order, questions that cross, and parties that change the channel in the middle.

mod in_a_chat;
mod late_messages;
mod named_visits;
mod open_questions;
mod unfinished;

use crate::common::World;
use courtesy::store::sessions;

/// BRK-0105: Saturday 13:00; the resident arrives 12:55, the contact parent 13:05.
const RESIDENT: &str = "+447700900109";
const CONTACT: &str = "+447700900110";
/// The resident of BRK-0104, Saturday 13:00 with arrival 12:45: a chat, and a phone.
const MAIRE: i64 = 5_500_100_107;
const MAIRE_PHONE: &str = "+447700900107";

/// State and answers of all sessions of a case, in their order.
async fn all_of(w: &World, case_ref: &str) -> Vec<String> {
    let all = sessions::list(&w.svc.db, None).await.unwrap();
    let answer = |attendees: &[courtesy::domain::visits::attendee::Attendee], role: &str| {
        attendees
            .iter()
            .find(|p| p.role.as_str() == role)
            .unwrap()
            .answer
    };
    all.iter()
        .filter(|(s, _)| s.case_ref == case_ref)
        .map(|(s, p)| {
            format!(
                "{} {} {}",
                s.state,
                answer(p, "resident"),
                answer(p, "contact")
            )
        })
        .collect()
}

const NEXT_WEEK: [(&str, &str); 1] = [("session_date", "2026-12-05")];
const SAME_DAY: [(&str, &str); 6] = [
    ("start_time", "15:00"),
    ("end_time", "15:15"),
    ("resident_arrival", "14:55"),
    ("resident_departure", "15:05"),
    ("contact_arrival", "15:05"),
    ("contact_departure", "15:15"),
];
