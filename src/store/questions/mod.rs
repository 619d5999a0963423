//! Questions to parents that wait for an answer by text.

mod cancel;
mod choices;

pub use crate::store::questions::cancel::{
    CancelHistory, NewQuestion, Unfinished, add, count_wrong_code, end, end_of_session, history,
    restart_nags, take_unfinished,
};
pub use crate::store::questions::choices::{
    NewChoice, add_choice, end_choice, end_choices, open_choice, open_choice_by_id,
};
