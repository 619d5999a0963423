//! Reads updates: messages, presses, and changes of a chat.

use crate::channels::InboundEvent;
use crate::domain::people::private::Private;
use crate::domain::replies::inbound::InboundKind;
use chrono::{DateTime, Utc};
use teloxide::types::{
    AllowedUpdate, CallbackQuery, ChatMemberUpdated, Message, Update, UpdateKind,
};

/// The header that holds the webhook's secret.
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// The kinds of updates that we ask Telegram for.
pub(super) const ALLOWED: [AllowedUpdate; 4] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
];

/// Reads one update as Telegram sends it; `None` for anything that we do not handle.
pub fn read_update(bytes: &[u8]) -> Option<InboundEvent> {
    serde_json::from_slice::<Update>(bytes).ok().and_then(read)
}

pub(super) fn read(update: Update) -> Option<InboundEvent> {
    let (chat, at, kind) = match update.kind {
        UpdateKind::Message(m) | UpdateKind::EditedMessage(m) => message(&m),
        UpdateKind::CallbackQuery(q) => press(q)?,
        UpdateKind::MyChatMember(m) => membership(&m)?,
        _ => return None,
    };
    Some(InboundEvent {
        provider_id: update.id.0.to_string(),
        from: chat.to_string(),
        at,
        kind,
    })
}

type ChatAndKind = (i64, Option<DateTime<Utc>>, InboundKind);

/// A message in a private chat; an edit counts as a new message.
fn message(m: &Message) -> ChatAndKind {
    let chat = m.chat.id.0;
    if !m.chat.is_private() {
        return (chat, None, InboundKind::Group);
    }
    let at = Some(m.edit_date().copied().unwrap_or(m.date));
    // Nobody else's text is an answer: a forwarded one counts as media.
    let own_text = m
        .text()
        .filter(|_| m.forward_date().is_none() && m.via_bot.is_none());
    let body = own_text.or(m.text()).or(m.caption()).unwrap_or_default();
    let kind = InboundKind::Text {
        body: Private(body.to_owned()),
        media: i64::from(own_text.is_none()),
        opt_out_type: None,
    };
    (chat, at, kind)
}

/// A press on a button. It carries no time.
fn press(q: CallbackQuery) -> Option<ChatAndKind> {
    let message = q.message?;
    let chat = message.chat();
    let kind = if chat.is_private() {
        InboundKind::Press {
            query: q.id.0,
            data: q.data.unwrap_or_default(),
            message: message.id().0.to_string(),
        }
    } else {
        InboundKind::Group
    };
    Some((chat.id.0, None, kind))
}

/// The bot was blocked or unblocked in a private chat, or added to a group.
fn membership(m: &ChatMemberUpdated) -> Option<ChatAndKind> {
    let gone = m.new_chat_member.kind.is_banned() || m.new_chat_member.kind.is_left();
    let chat = m.chat.id.0;
    match (m.chat.is_private(), gone) {
        (true, true) => Some((chat, Some(m.date), InboundKind::Blocked)),
        (true, false) => Some((chat, Some(m.date), InboundKind::Unblocked)),
        (false, false) => Some((chat, None, InboundKind::Group)),
        (false, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(inner: &str) -> Option<InboundEvent> {
        read_update(format!("{{\"update_id\":7,{inner}}}").as_bytes())
    }

    fn text(body: &str, media: i64) -> InboundKind {
        InboundKind::Text {
            body: Private(body.into()),
            media,
            opt_out_type: None,
        }
    }

    const PRIVATE: &str = r#""chat":{"id":42,"type":"private","first_name":"A"},"from":{"id":42,"is_bot":false,"first_name":"A"}"#;

    #[test]
    fn updates_are_read_as_what_they_are() {
        let own = update(&format!(
            r#""message":{{"message_id":1,"date":1795000000,{PRIVATE},"text":"YES"}}"#
        ))
        .unwrap();
        assert_eq!(
            (
                own.provider_id.as_str(),
                own.from.as_str(),
                own.at.unwrap().timestamp()
            ),
            ("7", "42", 1_795_000_000)
        );
        assert_eq!(own.kind, text("YES", 0));
        let edit = update(&format!(r#""edited_message":{{"message_id":1,"date":1795000000,"edit_date":1795000100,{PRIVATE},"text":"NO"}}"#)).unwrap();
        assert_eq!(
            (edit.kind, edit.at.unwrap().timestamp()),
            (text("NO", 0), 1_795_000_100)
        );
        let forwarded = update(&format!(
            r#""message":{{"message_id":1,"date":1795000000,{PRIVATE},"text":"YES","forward_origin":{{"type":"hidden_user","date":1,"sender_user_name":"B"}}}}"#
        ));
        assert_eq!(
            forwarded.unwrap().kind,
            text("YES", 1),
            "what somebody else wrote is no answer"
        );
        let group = update(r#""message":{"message_id":1,"date":1795000000,"chat":{"id":-5,"type":"group","title":"G"},"text":"YES"}"#).unwrap();
        assert_eq!(
            (group.from.as_str(), group.kind),
            ("-5", InboundKind::Group)
        );
        let press = update(&format!(
            r#""callback_query":{{"id":"q","from":{{"id":42,"is_bot":false,"first_name":"A"}},"chat_instance":"1","data":"t:yes","message":{{"message_id":9,"date":1795000000,{PRIVATE},"text":"?"}}}}"#
        ));
        assert_eq!(
            press.unwrap().kind,
            InboundKind::Press {
                query: "q".into(),
                data: "t:yes".into(),
                message: "9".into()
            }
        );
        for nonsense in [
            "",
            "{",
            "[]",
            "{\"update_id\":1}",
            "{\"update_id\":1,\"poll\":{}}",
            "null",
        ] {
            assert_eq!(read_update(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}
