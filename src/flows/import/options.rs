//! How a file is imported, and what an import did.

use crate::domain::people::senders::Senders;
use crate::flows::import::finding::Finding;

/// ImportOptions a file is to be imported.
pub struct ImportOptions<'a> {
    /// ImportOptions dates are written in it.
    pub dates: DateFormat,
    /// Nothing is written in any case.
    pub dry_run: bool,
    /// Parents may be renamed by it.
    pub rename: bool,
    /// Parents are texted about sessions that it calls off.
    pub tell: bool,
    pub senders: Senders,
    /// Hears how much is done, and of how much.
    pub progress: &'a dyn Fn(u64, u64),
}

impl Default for ImportOptions<'_> {
    fn default() -> Self {
        ImportOptions {
            dates: DateFormat::Iso,
            dry_run: false,
            rename: false,
            tell: false,
            senders: Senders::default(),
            progress: &|_, _| (),
        }
    }
}

/// ImportOptions dates are written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateFormat {
    /// `2026-11-28` only.
    Iso,
    /// `28/11/2026` as well.
    Dmy,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines with a session.
    pub sessions: usize,
    /// Sessions that were new.
    pub new_sessions: usize,
    /// Lines that are the same as at the last import, whatever happened since, or say what is on
    /// file already.
    pub unchanged: usize,
    /// Sessions that the file names by their `session_ref` at another time: moved, both parents are
    /// told.
    pub moved: usize,
    /// Lines that differ from what is on file, which was left alone.
    pub differs: usize,
    /// Sessions that the file calls off.
    pub cancelled: usize,
    /// New sessions of cases that may not be booked; a task for each.
    pub not_booked: usize,
    /// Booked sessions on the days of the file that it does not have; left alone.
    pub missing: usize,
    /// Cases that were new.
    pub new_cases: usize,
    /// Centres that were made, on hold.
    pub new_centres: usize,
}

/// The end of an import: what was found, and what was written if there was no error.
pub struct Imported {
    /// Every finding: sessions that the file calls off first, then in the order of the lines.
    pub findings: Vec<Finding>,
    /// What was done; `None` if an error stopped it.
    pub counts: Option<Counts>,
}
