//! What falls due in a case by itself.

mod case;
mod habits;
mod plan;
mod reviews;
#[cfg(test)]
mod tests;
mod texts;

pub use crate::domain::reminders::milestones::case::{
    MilestoneCase, MilestonePlan, MilestoneTask, MilestoneVisit, ParentCancellation,
};
pub use crate::domain::reminders::milestones::plan::look;
pub use crate::domain::reminders::milestones::texts::{text_from, text_of, text_until};
