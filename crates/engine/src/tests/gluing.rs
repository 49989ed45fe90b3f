//! A reply cannot be glued to another sender's conversation, whatever its headers say (ROUTING 12.1).

use super::Desk;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::hash::{BuildHasher, RandomState};
use switchboard_model::{
    Authentication, CheckResult, ConversationId, DeliveryFailure, DeliveryState, Identity, ItemId, MessageDetails, Nature, Proof,
};

/// Everything that the headers of a mail can come to once they are read: even tokens that we signed and somebody passed
/// on.
#[derive(Clone, Debug)]
struct Attempt {
    from: &'static str,
    proof: Proof,
    nature: Nature,
    token: usize,
    references: Vec<usize>,
    own_reference: usize,
    subject: Option<&'static str>,
    copies_to_victim: bool,
}

fn attempts() -> impl Strategy<Value = Attempt> {
    let stranger =
        prop_oneof![Just("mallory@elsewhere.test"), Just("kim@customer.test.elsewhere.test"), Just("KIM@customer.test ")];
    // Either a stranger whose own address is proven, or anybody's address that is not.
    let sender = prop_oneof![
        stranger
            .prop_filter("an address of Kim's would be hers", |from| !from.trim().eq_ignore_ascii_case("kim@customer.test"))
            .prop_map(|from| (from, Proof::Channel)),
        prop_oneof![Just("kim@customer.test"), Just("lu@customer.test"), Just("mallory@elsewhere.test")]
            .prop_map(|from| (from, Proof::Typed)),
    ];
    let nature = prop_oneof![Just(Nature::Message), Just(Nature::AutoReply), Just(Nature::Malformed), Just(Nature::Spam)];
    let subject = prop_oneof![Just(None), Just(Some("Where is my parcel?")), Just(Some("Re: [#1] Where is my parcel?"))];
    (sender, nature, 0..5_usize, proptest::collection::vec(0..6_usize, 0..5), 0..6_usize, subject, any::<bool>()).prop_map(
        |((from, proof), nature, token, references, own_reference, subject, copies_to_victim)| Attempt {
            from,
            proof,
            nature,
            token,
            references,
            own_reference,
            subject,
            copies_to_victim,
        },
    )
}

/// Conversations of others, and what a stranger may have got hold of.
struct Victims {
    items: Vec<ItemId>,
    tokens: Vec<Option<ConversationId>>,
    references: Vec<String>,
}

async fn victims(desk: &Desk) -> Victims {
    let kim = desk.mail("support", "kim@customer.test").await;
    let lu = desk.mail("form", "lu@customer.test").await;
    let closed = desk.mail("support", "kim@customer.test").await;
    desk.reply("bo", kim, "It is on its way.").await;
    let key = desk.sent().await[0].key.clone();
    let conversation = async |item| desk.view(item).await.row.conversation.unwrap_or(ConversationId(item.0));
    let items = vec![kim, conversation(lu).await.into(), conversation(closed).await.into()];
    Victims {
        tokens: vec![
            None,
            Some(ConversationId(kim.0)),
            Some(conversation(lu).await),
            Some(conversation(closed).await),
            Some(ConversationId(999_999)),
        ],
        references: ["<in-0@customer.test>", "<in-1@customer.test>", "<in-2@customer.test>", "<x@y.test>", ""]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("<{key}@desk.test>")])
            .collect(),
        items,
    }
}

#[test]
fn r12_1_a_reply_cannot_be_glued_to_another_senders_conversation() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (desk, victims) = runtime.block_on(async {
        let desk = Desk::open().await;
        let victims = victims(&desk).await;
        (desk, victims)
    });
    let mut config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(0));
    }
    if let RngSeed::Fixed(seed) = config.rng_seed {
        println!("repeat with: PROPTEST_RNG_SEED={seed} cargo nextest run -p switchboard-engine gluing");
    }
    let mut runner = TestRunner::new(config);
    let run = |attempt: Attempt| {
        let landed = runtime.block_on(async {
            let mut message = desk.message("support", attempt.from);
            (message.sender.proof, message.nature) = (attempt.proof, attempt.nature);
            message.thread.conversation = victims.tokens[attempt.token];
            message.thread.references = attempt.references.iter().map(|nth| victims.references[*nth].clone()).collect();
            message.thread.own_reference = Some(victims.references[attempt.own_reference].clone()).filter(|id| !id.is_empty());
            message.subject = attempt.subject.map(str::to_owned);
            message.recipients.retain(|_| false);
            if attempt.copies_to_victim {
                message.recipients = vec![switchboard_model::Address { name: None, address: "kim@customer.test".to_owned() }];
            }
            desk.push(message).await.conversation
        });
        if victims.items.contains(&landed.into()) {
            return Err(TestCaseError::fail(format!("it landed in conversation {landed}")));
        }
        Ok(())
    };
    runner.run(&attempts(), run).unwrap();
    // After all of that the true senders still reach their own conversations, and no stranger's.
    runtime.block_on(async {
        let mut answer = desk.message("support", "kim@customer.test");
        answer.thread.references = vec!["<in-0@customer.test>".to_owned()];
        assert_eq!(desk.receive(answer).await, victims.items[0], "a stranger who used Kim's id and copied her in drew her away");
    });
}

#[tokio::test]
async fn an_address_that_its_domain_disowns_joins_nothing_and_brings_nobody_their_owner() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let mut forged = desk.message("support", "kim@customer.test");
    let checked = |dmarc| Authentication {
        by: Some("mx.desk.test".to_owned()),
        spf: CheckResult::Fail,
        dkim: CheckResult::None,
        dmarc,
        arc: CheckResult::None,
    };
    forged.sender.proof = Proof::Typed;
    forged.thread.conversation = Some(ConversationId(item.0));
    forged.details.authentication = Some(checked(CheckResult::Fail));
    let landed = desk.receive(forged).await;
    assert_ne!(landed, item);
    let shown = desk.engine.messages(&desk.as_user("bo"), landed, None, 10).await.unwrap().rows.remove(0);
    assert_eq!(shown.details.authentication, Some(checked(CheckResult::Fail)), "and it is shown who says so");
}

#[tokio::test]
async fn r12_1_a_report_marks_replies_of_the_conversation_it_cites_and_no_others() {
    let desk = Desk::open().await;
    let (kim, mallory) = (desk.mail("support", "kim@customer.test").await, desk.mail("support", "mallory@elsewhere.test").await);
    desk.reply("bo", kim, "Dear Kim").await;
    desk.reply("bo", mallory, "Dear Mallory").await;
    let keys: Vec<_> = desk.sent().await.iter().map(|sent| (sent.to[0].address.clone(), sent.key.clone())).collect();
    let key = |address: &str| keys.iter().find(|(to, _)| to == address).unwrap().1.clone();
    let delivery = async |item| {
        let thread = desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap();
        thread.rows.into_iter().find_map(|message| message.delivery).unwrap()
    };
    for item in [kim, mallory] {
        super::eventually("it is noted as sent", async || delivery(item).await.state == DeliveryState::Sent).await;
    }
    // Mallory has a token of their own conversation, and knows the id of what was sent to Kim.
    let mut report = desk.message("support", "mailer-daemon@elsewhere.test");
    (report.nature, report.thread.conversation) = (Nature::Bounce, Some(ConversationId(mallory.0)));
    report.thread.references = vec![format!("<{}@desk.test>", key("kim@customer.test"))];
    let failure = |reference: String| DeliveryFailure {
        reference: Some(reference),
        recipients: vec!["mallory@elsewhere.test".to_owned()],
        status: Some("5.1.1".to_owned()),
        reason: Some("550 no such user".to_owned()),
    };
    report.details = MessageDetails { failure: Some(failure(report.thread.references[0].clone())), ..MessageDetails::default() };
    desk.receive(report.clone()).await;
    assert_eq!(delivery(kim).await.state, DeliveryState::Sent);
    report.external_id = "another".to_owned();
    report.thread.references = vec![format!("<{}@desk.test>", key("mallory@elsewhere.test"))];
    report.details.failure = Some(failure(report.thread.references[0].clone()));
    report.sender.identity = Identity::email("mailer-daemon@elsewhere.test");
    desk.receive(report).await;
    let failed = delivery(mallory).await;
    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (DeliveryState::Failed, Some("mallory@elsewhere.test: 550 no such user"))
    );
    assert_eq!(delivery(kim).await.state, DeliveryState::Sent);
}
