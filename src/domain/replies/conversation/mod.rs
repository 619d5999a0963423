//! What a reply does: from its intent, and what is open for that number, to effects, tasks and at
//! most one reply. Pure.
//!
//! A party knows a session as it was released to them. What the other parent did does not exist
//! here until it is released.

mod ask_which;
mod cancel;
mod choice_end;
mod confirm;
mod context;
mod date_answers;
mod decide;
mod effect;
mod finish_cancel;
mod number;
mod opt_out;
mod order;
mod press;
#[cfg(test)]
mod tests;
mod unclear;

pub use context::{
    AmbiguousWish, ButtonPress, CROSSING, InboundContext, KnownDateQuestion, KnownVisit,
    OpenChoice, OptOut, PromptRef, QuestionState, RecentExchange, Sender,
};
pub use decide::decide;
pub use effect::{Decision, Effect, Reply};
