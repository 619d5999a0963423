//! `courtesy record family`: what staff learn about a parent's phone.

use crate::cli::line;
use crate::cli::recorded_by::RecordedBy;
use crate::flows::people::phone::{self, PhoneChange};
use crate::flows::service::Service;
use crate::store::parties;
use anyhow::{Error, Result};

/// Arguments of `record family`.
#[derive(clap::Args)]
pub(crate) struct FamilyArgs {
    /// The case, BRK-0101 or BRK/BRK-0101
    case: String,
    /// Which party
    #[arg(long, value_parser = ["resident", "contact", "referrer"])]
    party: String,
    /// normal; discreet: two bare texts, all else is rung; silent: nothing, staff ring
    #[arg(long, value_parser = ["normal", "discreet", "silent"])]
    mode: Option<String>,
    /// Hours in which the phone may show a text, 09:00-15:00; "" for whenever the centre sends
    #[arg(long, value_name = "H-H")]
    hours: Option<String>,
    /// Whether the number may be texted
    #[arg(long, value_parser = ["safe", "ring_first", "never"])]
    sms: Option<String>,
    /// Whether the chat may be written to
    #[arg(long, value_parser = ["safe", "ring_first", "never"])]
    telegram: Option<String>,
    /// Whether the number may be written to on WhatsApp; safe also begins it
    #[arg(long, value_parser = ["safe", "ring_first", "never"])]
    whatsapp: Option<String>,
    /// The number that waits is theirs: it takes the old one's place
    #[arg(long, conflicts_with = "refuse_number")]
    confirm_number: bool,
    /// The number that waits is not theirs
    #[arg(long)]
    refuse_number: bool,
    /// The linked chat is not used any more
    #[arg(long)]
    unlink: bool,
    /// A private word that the parent chose: who writes exactly this is talked to alone; ""
    /// takes it away
    #[arg(long, value_name = "WORDS")]
    quiet_word: Option<String>,
    /// How you know whom you spoke with: in person with photo ID, or on the number on file that
    /// you rang
    #[arg(long, value_parser = ["in-person", "called-back"])]
    spoken: Option<String>,
    #[command(flatten)]
    who: RecordedBy,
}

pub(crate) async fn run(svc: &Service, args: FamilyArgs) -> Result<()> {
    let party = parties::find(&svc.db, &format!("{}:{}", args.case, args.party)).await?;
    let rec = args.who.of_centre(svc, &party.centre).await?;
    let mode = args
        .mode
        .map(|w| w.parse().map_err(Error::msg))
        .transpose()?;
    let spoken = args
        .spoken
        .map(|w| w.parse().map_err(Error::msg))
        .transpose()?;
    let change = PhoneChange {
        mode,
        hours: args.hours,
        sms: args.sms,
        telegram: args.telegram,
        whatsapp: args.whatsapp,
        confirm_number: args.confirm_number,
        refuse_number: args.refuse_number,
        unlink: args.unlink,
        quiet_word: args.quiet_word,
        spoken,
    };
    for done in phone::change(svc, &party, &change, rec.by, rec.at).await? {
        line(format!("recorded: {done}"))?;
    }
    Ok(())
}
