//! Attempts after the request left: unknown results, receipts, and presses on buttons.

mod prompts;
mod receipts;
mod unresolved;

pub use crate::store::attempts::prompts::{StoredPrompt, confirm_by_press, prompt_of};
pub use crate::store::attempts::receipts::{
    NewReceipt, ReceiptEffect, record_receipt, reroute_undelivered, token_of,
};
pub use crate::store::attempts::unresolved::{
    OpenAttempt, mark_uncertain, open_attempts, own_provider_ids, record_lookups,
};
