#!/usr/bin/env python3
"""Writes our own replies, labelled by family, one JSON object a line: replies_own.py worked|aside|all [first|more]

`first` are the families below, `more` those of tests/data/replies_families.txt; without a word both. A family is a list of skeletons; {a|b} in one is a choice. A third of the skeletons, picked by their own hash, is "aside": nobody looks at
those while the lists of understanding/ are written. The same call always writes the same texts.
"""
import hashlib, itertools, json, pathlib, re, sys

CANCELS = ["cancel", "cancel_illness_child", "cancel_illness_self", "cancel_transport"]
MUST_NOT = {
    "confirm": CANCELS + ["stop"],
    "cancel": ["confirm", "stop"],
    "cancel_illness_child": ["confirm", "cancel_transport", "stop"],
    "cancel_illness_self": ["confirm", "cancel_transport", "stop"],
    "cancel_transport": ["confirm", "cancel_illness_child", "cancel_illness_self", "stop"],
    "running_late": CANCELS + ["stop"],
    "reschedule_request": ["confirm"] + CANCELS[1:] + ["stop"],
    "question": ["confirm"] + CANCELS + ["stop", "start"],
    "stop": ["confirm", "start"] + CANCELS,
    "start": ["confirm", "stop"] + CANCELS,
    "help": ["confirm", "stop"] + CANCELS,
}
EVERYTHING = ["confirm", "stop", "start"] + CANCELS

FAMILIES = [
    ("plain", "confirm", ["{Yes|YES|yep|yeah|Aye}{|.|!} {thanks|thank you|cheers|ta|}", "yes {we will|we'll|I'll|i will} be there{| x|. Thanks}", "{I'm|im|we are|We're} coming{ thanks|. yes}", "yes see {you|yous|ye|u} {then|saturday|sunday|tomorrow|there}", "Yes that's {fine|grand|perfect|great}{| thanks}", "confirmed{| x| thank you|, see you then}", "Yes I {can|will} {make it|attend|come}", "Yes all good{| here}", "Just to confirm we will be there{| on Saturday}", "Yes both of us will be there", "Yes please{| x}", "I can confirm I will be attending{| on Sunday| this weekend}", "Yes I'll be there to see the kids", "Hi yes we will be attending contact {this weekend|on saturday}", "yes definitely {coming|will be there}"]),
    ("typo", "confirm", ["{yess|yse|yees|yesd|Yss}{| thanks}", "{comfirm|confrim|confimed|Confirmd}", "yes wil be ther{e|}", "yes sse you saturday", "yes thnaks", "yeas well be there", "{Yesx|yes1}"]),
    ("slang", "confirm", ["{yh|yeh|yup|yip} {il|ill|i'll} be there", "aye {grand|sound|no bother|nae bother}", "yeah {no worries|no problem|no probs}", "yea defo", "yes hun see u sat xx", "sound yeah see ya then", "Grand so, see ye Saturday", "yep all good pal", "Aye we'll be there surely", "yes mate"]),
    ("emoji", "confirm", ["Yes {👍|😊|❤️|🙏|👍🏻}", "👍 yes", "yes 👍 see you then 😊", "YES ✅✅", "Yep 😁 can't wait"]),
    ("voice", "confirm", ["yes we will be there full stop", "hi yes this is just to say that yes I will be there on saturday thank you", "yes thank you comma see you then", "hello yes that's fine thank you very much bye"]),
    ("multi-line", "confirm", ["Hi\nYes we will be there\nThanks\nSarah", "YES\n\nSent from my iPhone", "Yes\nThanks", "Hello\nyes\nKind regards\nMichael"]),
    ("negation", "confirm", ["No problem, {we'll|ill} be there", "not a problem see you saturday", "No worries yes", "not cancelling, {we will be there|yes}", "yes wouldn't miss it", "yes he can't wait", "yes they are so excited"]),
    ("plain", "cancel", ["{NO|No|no}{| thanks|, sorry| sorry x}", "{can't|cant|cannot|can not} {make it|come|attend}{| sorry| on saturday| this weekend}", "I {have|need|am going to have} to cancel{| sorry| saturday| this one}", "{please|pls} cancel{| my visit| sunday| the session|, thanks}", "we {won't|will not} be {there|coming|attending}{| this week| sat}", "not {coming|attending|able to make it}{| sorry| sunday}", "Unable to attend{| on Saturday| this weekend, apologies}", "I'm afraid I {can't|won't be able to} {make it|come|attend}", "No can do, sorry", "sorry but I can't make it", "Hi, I won't be able to attend contact on Saturday. Sorry for the inconvenience", "can you cancel {saturday|my session|it for me} please", "Cancel", "CANCEL PLEASE", "Wont make sunday", "I'd like to cancel please", "no contact this weekend sorry", "Have to call it off, sorry"]),
    ("reason", "cancel", ["{working|got work|have to work|called into work} so can't {come|make it}", "{got a funeral|family funeral|family emergency|family wedding} so {can't come|won't be there|have to cancel}", "Something came up, can't make it", "We're away {this weekend|on holiday} so won't be there", "I have a {hospital|dentist|doctors} appointment so can't make it", "Boss won't give me time off, have to cancel", "It's my sister's wedding on Saturday so I can't come", "{moving house|plumber coming} so can't do saturday", "stuck at work wont make it", "can't get off work sorry, need to cancel", "My grandmother passed away so we won't be coming", "kids have a party so not coming", "He has football on Saturday so can't come", "no babysitter for the baby so cant come", "I've got an interview so I can't make it", "double booked sorry need to cancel"]),
    ("typo", "cancel", ["{cancell|cancle|cnacel|canecl|cancek} {please|pls|it}", "cant mke it sorry", "carnt make it", "ned to cancel", "wont be ther", "cant com sat", "not comin", "CANCAL", "i canot come"]),
    ("slang", "cancel", ["{soz|sry} cant make it", "nah cant make it", "nope not coming", "cannae make it the morra", "naw cant come hen", "we cant come pal sorry bout that", "wont make it bud"]),
    ("voice", "cancel", ["hi I'm just letting you know that I can't make it on saturday so please cancel it thank you bye", "no I'm sorry I can't come on sunday", "hello could you please cancel my contact on saturday thank you full stop"]),
    ("multi-line", "cancel", ["Hi\nI can't make it on Saturday\nSorry\nDave", "Sorry\ncan't come\nthanks"]),
    ("emoji", "cancel", ["can't make it 😢", "cancel 😭 sorry", "no 😔 can't come"]),
    ("plain", "cancel_illness_child", ["{my son|my daughter|the baby|my little boy|the wee one|lo|the kids|the wean} {is|'s} {sick|ill|poorly|not well|unwell} {so|,} {can't come|won't be there|have to cancel}", "{Noah|Maisie|Aoife|Jayden} has {chicken pox|a temperature|a tummy bug|covid|hand foot and mouth|a fever} so {we can't make it|won't be coming|need to cancel}", "She's {been up all night being sick|been vomiting|got a high temperature|burning up} can't {bring her|come}", "he has {the flu|tonsillitis|croup|an ear infection} so we won't make it", "cancel please the kids are sick", "both kids have a bug, cancel", "Cancel - {son|daughter|child} {sick|unwell|not well}", "My son was sent home from school sick so we can't come", "child has d&v cant attend", "the wee man's not well so we won't be there", "no, my daughter is sick", "Kids have nits and a bug so not coming", "My little girl broke her arm so we can't come", "Tadhg is in hospital with his asthma, can't come", "poorly child so have to cancel"]),
    ("plain", "cancel_illness_self", ["{I'm|Im|I am} {sick|ill|not well|unwell|poorly} {so|,|} {can't come|won't be there|have to cancel}", "I have {the flu|covid|a bad cold|a migraine|a chest infection} so {can't make it|won't be there|need to cancel}", "ive been throwing up all night so can't come", "Not feeling well myself, can't make it", "I'm in hospital so I can't come", "cancel I have covid", "I've hurt my back and can't make it", "No sorry I'm sick", "i tested positive for covid so i cant come", "I've come down with a bug, won't be there", "I have broken my leg so can't come", "I'm in bed with the flu, please cancel", "signed off sick by my doctor so cant attend", "I've a bad dose, can't make it"]),
    ("plain", "cancel_transport", ["{car|my car|the car} {broke down|has broken down|won't start|is in the garage|failed its MOT|failed the NCT|has a flat tyre|is off the road} {so|} {can't come|can't make it|won't be there|have to cancel}", "{no buses|buses not running|bus cancelled|trains are off|train strike} so {can't get there|we can't come|cancel}", "no lift so can't come", "No way of getting there, have to cancel", "my lift let me down can't make it", "cant afford the bus fare so cant come", "no money for petrol, can't come", "Roads are flooded, can't get there", "snowed in cant make it", "the bus never came so we won't make it", "Car trouble, not coming", "Nobody to bring me so have to cancel", "train was cancelled so we cant get there", "my dad was giving me a lift but he's sick so I can't get there", "I don't have a car this weekend so can't come", "puncture on the motorway, can't make it"]),
    ("other", "stop", ["STOP{|.|!| please}", "Stop {texting|messaging} me{| please| now}", "please stop sending me {texts|messages|these}", "unsubscribe{| me| please}", "take me off {this list|your list}", "no more {texts|messages} please", "I don't want {any more texts|these messages|these reminders}", "don't text me {again|anymore|any more}", "remove my number{| please| from your list}", "opt out", "can you stop texting me", "please remove me from this list", "stop these messages", "dont message me again", "I want to unsubscribe", "stopp", "STOP STOP STOP", "stop messaging this number"]),
    ("other", "start", ["START", "start texts again please", "can you turn the texts back on", "put me back on the text list please", "opt me back in", "I want the reminders again", "resubscribe", "please start sending me texts again"]),
    ("other", "help", ["HELP", "help me please", "what do I reply", "how do I answer this", "I don't understand this message", "how does this work", "what do i text back", "i dont get this"]),
    ("other", "running_late", ["running {5|10|15} {mins|minutes} late", "stuck in traffic, {be there soon|will be late}", "We'll be a bit late", "im on my way just running behind", "bus is late will be 10 mins", "be there in 5", "Sorry going to be late", "traffic terrible be there for quarter past", "will be 20 minutes late sorry", "yes but running late", "yes we'll be there about 15 mins late", "just leaving now be there soon", "missed the bus, next one is in 20 mins", "we're coming but the train is delayed"]),
    ("other", "reschedule_request", ["can we {change|move} it to {sunday|next week|2pm}", "could we do sunday instead", "can't do saturday, could we do sunday", "can I reschedule", "Need to rearrange", "is there a later slot", "any chance we could swap to next weekend", "yes but can we make it 11", "can't make 10 can we do 11", "could we start half an hour later", "would it be possible to have a different day", "I can't come Saturday but I can come Sunday", "can we postpone"]),
    ("question", "question", ["what time is it{| at|?}", "{is|Is} it {still on|cancelled|on this week}{?|}", "is he coming{?|}", "has she confirmed{?|}", "where do I park{?|}", "can i bring my {mum|partner|sister}{?|}", "do i have to come{?|}", "what happens if I cancel{?|}", "will I be charged if I cancel?", "who cancelled?", "when is the next one?", "how long is the visit", "can you cancel at short notice?", "is contact cancelled this saturday", "am i meant to come saturday?", "is the session going ahead", "did he cancel again?", "can my mum come instead of me?", "what if I can't come?", "do you need a sick note?"]),
    ("question", "unclear", ["yes?", "no?", "Yes we are coming?", "saturday?", "coming?", "me?"]),
    ("hedge", "unclear", ["maybe", "{I think so|think so|probably|possibly|perhaps}", "might be able to", "hopefully", "should be there", "I'll try", "yes if {I can get a lift|he behaves|I'm better by then|work lets me off}", "yes unless {something comes up|he's still sick}", "not sure if i can make it", "I'll let you know", "yes but {only if he's not there|I need to leave early|I'm not happy|not the full two hours|not sunday}", "don't know yet", "may have to cancel", "might have to cancel, will let you know", "I don't think I can make it", "could be coming", "Yes I suppose if I have to", "thinking of cancelling", "I was going to cancel but", "yes i got your message", "yes I know", "yes that's my name", "ok", "okay thanks", "k", "thanks", "grand", "will ring you", "call me", "yes call me", "no idea", "no comment", "no way am I paying that", "no I said I would come", "no I'm coming"]),
    ("other-person", "unclear", ["{he|she|his dad|her mum|my ex} {says|said} {he|she}{'s not| isn't} coming", "{he|she|they} won't be there", "he can't make it", "she isn't coming saturday", "his mum has cancelled", "her dad is sick so he can't come", "she says yes", "he said no", "tell him I'm not coming", "tell her yes", "is she cancelling or am I", "they cancelled last time", "he always cancels", "she will cancel again", "my mum can't come", "my partner will be there", "he'll be there", "if she cancels again I want it noted", "ask him if he's coming", "he told me he is cancelling", "His dad will not be attending", "she never brings him", "my sister says she can't come"]),
    ("negation", "unclear", ["don't cancel", "please do not cancel my contact", "I didn't cancel", "I never cancelled", "I'm not saying no", "it's not that I can't come", "not yes", "don't say I'm not coming", "I won't be cancelling because of him", "never said I can't come", "I can't say yes yet", "not confirming yet", "can't confirm", "I cannot confirm at the moment", "won't confirm until I hear about the fee", "not coming to an agreement on this", "I'm not coming to the phone"]),
    ("mixed", "unclear", ["yes no", "no yes", "yes sat no sun", "YES NO", "yes. no. dunno", "no wait yes", "yes actually cancel", "cancel no dont", "yes/no", "can come sat cant come sun", "no problem I can't come"]),
    ("other-thing", "unclear", ["cancel my order", "cancel the taxi", "cancel the dentist", "cancel my direct debit", "yes I paid the fee", "yes I have the note", "yes he got home ok", "no I didn't get the letter", "no I have not paid", "yes I want to complain", "stop contact please", "I want it to stop", "stop the session if he kicks off", "end the contact", "the end", "end of discussion", "quit moaning", "stop lying", "start the process", "cancel all future contact", "cancel everything until court", "no more contact", "I'm done with this", "we're not doing this", "bus stop", "see below", "yes to the court date", "no further action please"]),
    ("forward", "unclear", ["Fwd: Yes we are coming", "FW: please cancel saturday", "Forwarded message: can't make it", "Liked “Birchfield: your visit is Sat 28 Nov”", "Loved “Reply YES if you will come or NO if you cannot”", "Emphasised “Yes”", "Birchfield: your visit is Sat 28 Nov, 10am. Reply YES if you will come or NO if you cannot.", "> Reply YES if you will come\n> or NO if you cannot", "Your Royal Mail parcel is held, pay at http://evil.example", "WINNER! Reply YES to claim your prize", "Your one time passcode is 482913"]),
    ("auto-reply", "unclear", ["I'm driving right now, I'll get back to you later", "Auto-reply: I am on leave and can't attend to messages", "I can't talk right now. Call me later?", "This is an automated response. I am not available", "Sorry, I can't come to the phone", "I am currently out of the office", "I'm in a meeting", "This mailbox is not monitored"]),
    ("stranger", "unclear", ["wrong number", "you've the wrong number pal", "who is this?", "I don't know anyone there, wrong person"]),
    ("wrong-day", "unclear", ["yes next saturday", "Yes for the 5th", "yes see you in two weeks", "can't come next month", "not the 28th the 29th", "yes at 11", "see you at 3pm", "yes on the 12th december"]),
    ("language", "unclear", ["oui", "si claro", "tak jutro nie", "nu stiu", "nie wiem", "haan lekin", "mozliwe", "ndiyo", "evet", "没问题", "да", "لا"]),
    ("noise", "unclear", ["", " ", "…", "!!!", "asdf", "x", "xx", "😂", "🤷‍♀️", "0", "7 8", "hello", "hi", "test", "lol"]),
    ("danger", "safeguarding_alert", ["he hit {me|her|my son}{| again| last night}", "he's outside my house", "she is outside my door banging", "he keeps following me", "he followed us home", "he says he will kill {me|us}", "she threatened me", "he threatened to take the kids", "I want to die", "I can't go on like this anymore", "I'm going to kill myself", "thinking of suicide", "took an overdose", "I took all my pills", "she won't give them back", "he won't give me my son back", "im not bringing her back", "I am keeping them and you will never see them again", "he's taking them to Pakistan", "he is making me cancel", "he made me say no", "he is reading this", "he checks my phone", "she took my phone", "he was drunk when he dropped them off", "she stinks of drink", "he was smoking weed in front of the kids", "he was off his head on drugs", "she has bruises on her legs", "he came home with a black eye", "there are marks on his back", "he touched my daughter", "I'm scared of him", "my daughter is terrified of him", "I don't feel safe", "yes but I'm scared he will hurt me", "no I can't come he will kill me", "cancel he is threatening me", "I'll break his legs if he comes near", "he is going to burn the house down", "he has a gun", "he strangled me", "she leaves them on their own all night", "help he's here", "call the police", "I'm 8 and I don't want to see daddy", "daddy hurts me", "he wont let me leave the house", "he is in my garden", "he smashed my windows", "he's parked outside the school watching us", "she slapped him across the face", "he punched me in front of the kids", "he's stalking me", "he said if I don't come he will hurt the dog", "I've cut myself", "there's no point living", "they'd be better off without me", "he's run off with the baby", "she has taken the kids and I don't know where they are", "he told me to write this", "please don't reply he reads my texts"]),
    ("harmless", "unclear", ["traffic is killing me", "my back is killing me", "she hurt her knee", "baby has a rash", "he hit a tree and the car is off the road", "bringing a cake and juice", "can I bring drinks", "he loves his toy gun", "knife and fork", "he is scared of the dentist", "I'm outside", "we are outside the centre", "he is outside in the car with me", "is the door open", "kids are mad for it", "dying to see them", "I could murder a coffee", "the bus hit a wall", "there is a hill to climb", "I'd kill for a lie in"]),
]


def expand(skeleton):
    parts = [p[1:-1].split("|") if p.startswith("{") else [p] for p in re.split(r"(\{[^}]*\})", skeleton)]
    seen = []
    for choice in itertools.product(*parts):
        text = "".join(choice)
        if text not in seen:
            seen.append(text)
    return seen


def more():
    """The families of tests/data/replies_families.txt."""
    intent = tag = None
    with open(pathlib.Path(__file__).parent / "data" / "replies_families.txt", encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("[") and line.endswith("]"):
                intent, tag = line[1:-1].split("/")
            elif line and not line.startswith("# "):
                yield tag, intent, [line.replace("\\n", "\n")]


def main():
    which = sys.argv[1] if len(sys.argv) > 1 else "all"
    sets = {"first": FAMILIES, "more": list(more())}
    families = sets[sys.argv[2]] if len(sys.argv) > 2 else FAMILIES + sets["more"]
    n = 0
    for tag, intent, skeletons in families:
        for skeleton in skeletons:
            aside = hashlib.sha256(f"{tag}/{intent}/{skeleton}".encode()).digest()[0] % 3 == 0
            for text in expand(skeleton):
                text = text if tag == "noise" else text.strip(" ")
                n += 1
                if which != "all" and aside != (which == "aside"):
                    continue
                must_not = MUST_NOT.get(intent, EVERYTHING)
                also = [] if intent in ("confirm", "stop") or intent.startswith("cancel") or intent == "safeguarding_alert" else ["unclear"]
                if intent == "unclear":
                    also = ["question", "reschedule_request", "details_change", "running_late", "help", "abuse"]
                if intent == "cancel":
                    also = ["cancel_transport", "cancel_illness_self"] if tag == "reason" else []
                if tag == "harmless":
                    must_not = must_not + ["safeguarding_alert"]
                    also = also + ["cancel_transport", "cancel", "cancel_illness_child"]
                    must_not = [m for m in must_not if m not in also]
                row = {"id": f"own-{n}", "text": text, "intent": intent, "must_not": must_not, "also_ok": also, "lang": "en", "open_sessions": 1, "tags": [tag], "channel": "sms"}
                if tag == "next-other-day":
                    row["open_local"] = ["2026-11-28T10:00"]
                print(json.dumps(row, ensure_ascii=False))


main()
