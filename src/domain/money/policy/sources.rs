//! Which sentence of the centre's own documents a rule rests on, so that every step of a case can
//! be explained.

/// A rule with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The document: `001` is the centre's handbook for parents, `002` the terms for referrers;
    /// empty where a choice alone decides.
    pub document: &'static str,
    /// The sentence, word for word.
    pub sentence: &'static str,
}

const LATE: &str =
    "If contact is cancelled under 48 hours’ notice then the charge will be incurred.";
const NOTE: &str = "If the child is unwell, we will accept a doctor’s note as long as it is \
                    relating to the date in question and in this case the fee would no longer \
                    apply.";
const NEXT_CONTACT: &str = "If there is a cancellation due to illness of the child then a doctor’s \
                            note needs to be brought to the next contact.";
const TRAVEL: &str = "If they are unable to do this and contact cancels due to their illness or \
                      due to transport issues then the fee will apply.";
const PRIOR: &str =
    "The charge is expected to be paid prior to the next due session taking place in full.";
const CLOSED: &str =
    "If payment is not received by this time then the file will be closed and archived.";
const ALL_PARTIES: &str = "Failing to receive payment by the next due appointment all parties will \
                           be informed and would expect payment to be received within 7 days.";
const RESIDENT: &str = "If the resident parent/carer cancels during the 48-hour notice period they \
                        will be liable to make this payment, this is regardless of who usually \
                        pays for contact.";
const DISCRETION: &str = "All cancellation fees are subject to the managers discretion and you may \
                          be requested to provide a doctor’s letter if cancelling due to illness.";
const CHILDREN: &str = "If multiple children attend contact and one is ill, then the others will \
                        be required to be made available.";
const NO_BOOKING: &str = "If for any reason the incurred charge is not paid then no contact can be \
                          booked in until the fee is received in full.";
const UNTIL_DONE: &str = "If they do not bring the fee or the doctors note to the next contact \
                          then no further contacts will be booked in until this is done.";
const REFERRAL: &str = "No bookings will be accepted and a new referral would be required if the \
                        contact is reinstated";
const ANYBODY: &str =
    "however the other party can settle it if they want to to enable contact to continue";
const MOVE: &str = "With notice you can move your contact to a different week, day or time \
                    (subject to availability and with consent from the other party).";
const ROOMS: &str = "full payment will be taken prior to contact commencing as the \
                     room/supervisors are booked and were available at the agreed and correct \
                     times";
const COURT: &str =
    "If contact is court ordered then it must take place unless good reason is provided.";
const REPLACED: &str = "This policy is to prevent contacts being cancelled unduly and to ensure \
                        that any sessions missed are replaced.";
const TELL: &str = "Let your ex-partner and the Centre Co-ordinator know as soon as you can.";
const LIABLE: &str = "The person that cancels the contact is liable for the charge.";
const COURTESY: &str = "This is a courtesy call only and is not guaranteed.";
const INFORM: &str = "If anyone is unable to attend, they should contact the Coordinator as soon \
                      as possible and if appropriate, also inform all parties e.g. solicitor \
                      and/or social worker.";

/// The sentence a rule rests on. A rule that is the program's own (how a code finishes a
/// cancellation, how a text is sent) has none.
pub fn source(rule: &str) -> Option<Source> {
    let (document, sentence) = match rule {
        "C01" | "C02" => ("001", LATE),
        "C03" | "C04" | "C30" => ("001", PRIOR),
        "C05" => ("001", UNTIL_DONE),
        "C06" | "C27" => ("001", TRAVEL),
        "C07" => ("001", CLOSED),
        "C08" => ("001", ALL_PARTIES),
        "C09" => ("001", NO_BOOKING),
        "C10" | "seed_001" => ("001", LIABLE),
        "C11" => ("001", MOVE),
        "C12" => ("001", ROOMS),
        "C14" => ("002", INFORM),
        "C15" => ("001", COURTESY),
        "C16" | "several_children" => ("001", CHILDREN),
        "C17" => ("001", NOTE),
        "C13" | "C18" | "C19" | "manager" => ("001", DISCRETION),
        "C20" => ("001", REFERRAL),
        "C21" | "court_order" => ("001", COURT),
        "C28" | "note_route" => ("001", NEXT_CONTACT),
        "C29" => ("001", RESIDENT),
        "C31" => ("001", ANYBODY),
        "replacement" => ("001", REPLACED),
        "ack" | "session_off" => ("001", TELL),
        _ => return None,
    };
    Some(Source { document, sentence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::policy::properties::late_case;

    #[test]
    fn every_step_that_the_rules_make_names_its_sentence() {
        let a = crate::domain::money::policy::assess(&late_case());
        assert!(!a.steps.is_empty());
        for step in &a.steps {
            assert!(source(step.rule).is_some(), "{} has no sentence", step.rule);
        }
        assert_eq!(source("S1-finished"), None);
    }
}
