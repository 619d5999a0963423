//! Inbound messages, opt-outs, and who owns an address.

mod history;
mod inbound;
mod opt_outs;
mod owners;
mod thread;

pub use crate::store::inbox::history::{count, last_inbound, of_case, recent_texts};
pub use crate::store::inbox::inbound::{
    Inbound, NewInbound, anything_new, known, mark_applied, next, store,
};
pub use crate::store::inbox::opt_outs::{
    OptOuts, copy_opt_outs, extend_start, extend_stop, opt_out_of, opted_out_among,
    opted_out_among_in, set_opt_out,
};
pub use crate::store::inbox::owners::{
    Owner, is_agreed, languages_of, modes_of, parties_anywhere, parties_with, set_blocked,
    set_paused, unusable_among,
};
pub use crate::store::inbox::thread::{Direction, InboundSource, ThreadEntry, source_of, thread};
