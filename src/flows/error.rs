//! Why something that staff asked for was not done, in a form that a caller can act on.

#![warn(missing_docs)]

use crate::store::lookup_error::LookupError;
use crate::store::staff::AllowError;

/// Why something was not done.
///
/// Each sentence is for the person who asked. Only [`Error::Failed`] is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule forbids it, or the input makes no sense. The same request is refused again.
    #[error("{0}")]
    Refused(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else changed the same thing meanwhile. Look at it again, then retry.
    #[error("{0}")]
    Changed(String),
    /// The database or a provider failed. The same request may succeed later.
    #[error(transparent)]
    Failed(anyhow::Error),
}

/// The result of something that staff asked for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal by a rule, or of bad input.
    pub fn refused(why: impl Into<String>) -> Error {
        Error::Refused(why.into())
    }

    /// There is no such session, case, task, …
    pub fn not_found(what: impl Into<String>) -> Error {
        Error::NotFound(what.into())
    }

    /// Somebody else was faster.
    pub fn changed(what: impl Into<String>) -> Error {
        Error::Changed(what.into())
    }

    /// A session that does not exist.
    pub(crate) fn no_session(id: &crate::domain::ids::SessionId) -> Error {
        Error::NotFound(format!(
            "there is no session {id}; `courtesy list sessions` shows all"
        ))
    }

    /// A task that does not exist.
    pub(crate) fn no_task(id: &crate::domain::ids::TaskId) -> Error {
        Error::NotFound(format!(
            "there is no task {id}; `courtesy list tasks` shows all"
        ))
    }

    /// A session that somebody else changed between reading and writing it.
    pub(crate) fn session_changed() -> Error {
        Error::changed("the session was changed by somebody else just now; look at it again")
    }
}

impl From<anyhow::Error> for Error {
    /// Failed, unless it is one of ours that passed through code that does not tell them apart.
    fn from(e: anyhow::Error) -> Error {
        match e.downcast::<Error>() {
            Ok(ours) => ours,
            Err(e) => match e.downcast::<LookupError>() {
                Ok(LookupError::NotFound(what)) => Error::NotFound(what),
                Ok(LookupError::Unclear(why)) => Error::Refused(why),
                Err(e) => Error::Failed(e),
            },
        }
    }
}

impl From<AllowError> for Error {
    fn from(e: AllowError) -> Error {
        match e {
            AllowError::NotAllowed(why) => Error::Refused(why),
            AllowError::Failed(e) => e.into(),
        }
    }
}

/// Returns from the function with [`Error::Refused`]; takes what `format!` takes.
macro_rules! refuse {
    ($($sentence:tt)*) => {
        return Err($crate::flows::error::Error::Refused(format!($($sentence)*)))
    };
}
pub(crate) use refuse;

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    fn refusing(n: u32) -> Result<()> {
        if n == 0 {
            refuse!("{n} children attend on this case; nothing was recorded");
        }
        Ok(())
    }

    #[test]
    fn a_refusal_is_its_sentence() {
        let e = refusing(0).unwrap_err();
        assert!(matches!(e, Error::Refused(_)), "{e:?}");
        assert_eq!(
            e.to_string(),
            "0 children attend on this case; nothing was recorded"
        );
        assert!(refusing(1).is_ok());
    }

    #[test]
    fn a_name_that_leads_nowhere_is_not_found() {
        let none: Error =
            anyhow::Error::from(LookupError::NotFound("there is no case X".into())).into();
        assert!(matches!(none, Error::NotFound(_)), "{none:?}");
        let two: Error = anyhow::Error::from(LookupError::Unclear("X exists twice".into())).into();
        assert!(matches!(two, Error::Refused(_)), "{two:?}");
    }

    #[test]
    fn who_may_not_is_refused_and_a_failed_check_is_failed() {
        let no: Error = AllowError::NotAllowed("Vera is a volunteer".into()).into();
        assert!(matches!(no, Error::Refused(_)), "{no:?}");
        let failed: Error = AllowError::Failed(anyhow!("disk full")).into();
        assert!(matches!(failed, Error::Failed(_)), "{failed:?}");
    }

    #[test]
    fn passing_through_anyhow_loses_nothing() {
        for (e, name) in [
            (Error::refused("a"), "Refused"),
            (Error::not_found("b"), "NotFound"),
            (Error::changed("c"), "Changed"),
        ] {
            let back = Error::from(anyhow::Error::from(e));
            assert!(format!("{back:?}").starts_with(name), "{back:?}");
        }
    }

    #[test]
    fn a_failure_shows_its_chain_on_the_command_line() {
        let failed: Error = Err::<(), _>(anyhow!("disk full"))
            .context("cannot commit")
            .unwrap_err()
            .into();
        assert!(matches!(failed, Error::Failed(_)), "{failed:?}");
        let shown = format!("{:#}", anyhow::Error::from(failed));
        assert_eq!(shown, "cannot commit: disk full");
    }
}
