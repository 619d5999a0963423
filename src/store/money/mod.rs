//! What the rules on money read of a case, and the texts that follow.

mod record;
mod scan;
mod texts;

pub use crate::store::money::record::{
    MoneyCase, case, case_of_session, cases_with_fees, fee_id, lock, session_of_fee, undo_until,
};
pub use crate::store::money::scan::{
    due, next_scan_at, rescan, rescan_case_of_message, save_state,
};
pub use crate::store::money::texts::{
    MoneyText, count_pending_receipts, has_open_safety_task, hold_for_manager, hold_text,
    is_held_for_manager, release_text, requeue, texts, withdraw,
};
