//! The built-in templates, from `message-templates/`.

/// One language with its templates.
pub(super) struct Folder {
    /// The language, BCP 47.
    pub(super) tag: &'static str,
    pub(super) about: &'static str,
    /// Its templates: the file's name without the extension, and the text.
    pub(super) files: &'static [(&'static str, &'static str)],
}

macro_rules! folder {
    ($tag:literal, $($kind:literal),+ $(,)?) => {
        Folder {
            tag: $tag,
            about: include_str!(concat!("../../message-templates/", $tag, "/language.toml")),
            files: &[$(($kind, include_str!(concat!("../../message-templates/", $tag, "/", $kind, ".txt")))),+],
        }
    };
    ($tag:literal) => {
        folder!($tag, "confirm_request", "confirm_ack", "session_off", "session_moved", "closure", "stop_ack", "buttons")
    };
}

/// English first. The others are drafts of the kinds that most parents get.
pub(super) const FOLDERS: &[Folder] = &[
    folder!(
        "en",
        "confirm_request",
        "confirm_ack",
        "cancel_reason_ask",
        "cancellation_ack",
        "session_off",
        "session_on",
        "session_moved",
        "date_question",
        "date_refused",
        "closure",
        "needs_coordinator_ack",
        "unclear_reply",
        "help",
        "stop_ack",
        "start_ack",
        "unknown_sender",
        "which_session",
        "wrong_number_ack",
        "please_ring",
        "discreet_request",
        "welcome",
        "link_number",
        "link_refused",
        "old_button",
        "no_longer_in_use",
        "staff_alert",
        "staff_reply",
        "fee_notice",
        "note_request",
        "note_reminder",
        "fee_settled",
        "all_parties_notice",
        "case_closed",
        "review_due",
        "introduction_meeting",
        "previsit_invitation",
        "fee_change",
        "buttons",
    ),
    folder!("ga"),
    folder!("cy"),
    folder!("pl"),
    folder!("ro"),
    folder!("ur-Latn"),
];
