//! Key pairs. Nobody logs in here: a key that is made is of the kind that is quick to make.

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::described::with_defaults;
use super::nouns::KEY_PAIR;
use super::tags::tags_for;
use crate::sandbox::parameters::{Refusal, Reply, need, refuse, texts};
use crate::sandbox::tables;
use crate::sandbox::world::World;

/// A key pair as it is shown.
pub fn shown(_: &World, row: &Value) -> Value {
    with_defaults(row.clone(), json!({"keyType": "rsa", "tagSet": []}))
}

/// DescribeKeyPairs, by names or by ids.
pub fn describe(world: &mut World, asked: &Value) -> Reply {
    let ids = texts(asked, "KeyPairId");
    let has = |id: &String| world.rows(tables::KEY_PAIRS).any(|row| row["keyPairId"] == id.as_str());
    if let Some(unknown) = ids.iter().find(|id| !has(id)) {
        return refuse(KEY_PAIR.absent, format!("The key pair '{unknown}' does not exist"));
    }
    if let Some(name) = texts(asked, "KeyName").iter().find(|name| world.row(tables::KEY_PAIRS, name).is_none()) {
        return refuse(KEY_PAIR.absent, format!("The key pair '{name}' does not exist"));
    }
    let mut rows = KEY_PAIR.rows(world, asked)?;
    rows.retain(|row| ids.is_empty() || ids.iter().any(|id| row["keyPairId"] == id.as_str()));
    if asked["IncludePublicKey"] != "true" {
        rows.iter_mut().for_each(|row| row["publicKey"] = Value::Null);
    }
    Ok(json!({ KEY_PAIR.set: rows }))
}

/// CreateKeyPair: the only answer with the private key.
pub fn create(world: &mut World, asked: &Value) -> Reply {
    let Ok(key) = KeyPair::generate() else {
        return Err(Refusal { code: "InternalError", message: "No key can be made.".to_owned(), status: 500 });
    };
    let row = insert(world, asked, asked["KeyType"].as_str().unwrap_or("rsa"))?;
    Ok(with_defaults(answered(&row), json!({"keyMaterial": key.serialize_pem()})))
}

/// ImportKeyPair.
pub fn import(world: &mut World, asked: &Value) -> Reply {
    need(asked, "PublicKeyMaterial")?;
    Ok(answered(&insert(world, asked, "rsa")?))
}

/// What the calls that make a pair say of it.
fn answered(row: &Value) -> Value {
    json!({
        "keyName": row["keyName"], "keyPairId": row["keyPairId"], "keyFingerprint": row["keyFingerprint"],
        "tagSet": row["tagSet"],
    })
}

fn insert(world: &mut World, asked: &Value, kind: &str) -> Reply {
    const NAME_CHARACTERS_MAX: usize = 255;
    let name = need(asked, "KeyName")?.to_owned();
    if name.chars().count() > NAME_CHARACTERS_MAX || !name.is_ascii() {
        return refuse("InvalidParameterValue", format!("Value ({name}) for parameter KeyName is invalid."));
    }
    let tags = tags_for(asked, "key-pair", &["key-pair"])?;
    if world.row(tables::KEY_PAIRS, &name).is_some() {
        return refuse("InvalidKeyPair.Duplicate", format!("The keypair '{name}' already exists."));
    }
    let id = world.id("key");
    let fingerprint: Vec<String> = (1..=16u64).map(|byte| format!("{:02x}", (world.counter * byte) % 256)).collect();
    let row = json!({
        "keyName": name, "keyPairId": id, "keyType": kind, "keyFingerprint": fingerprint.join(":"), "tagSet": tags,
        "createTime": world.date(),
    });
    world.table(tables::KEY_PAIRS).insert(name, row.clone());
    Ok(row)
}

/// DeleteKeyPair. One that is not there is no mistake (EC2 API reference).
pub fn delete(world: &mut World, asked: &Value) -> Reply {
    let (name, id) = (asked["KeyName"].as_str(), asked["KeyPairId"].as_str());
    if name.is_none() && id.is_none() {
        return refuse("MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
    }
    let is_meant =
        |row: &Value| name.is_none_or(|name| row["keyName"] == name) && id.is_none_or(|id| row["keyPairId"] == id);
    let gone = world.rows(tables::KEY_PAIRS).find(|row| is_meant(row)).cloned().unwrap_or_default();
    world.table(tables::KEY_PAIRS).retain(|_, row| !is_meant(row));
    Ok(json!({"return": true, "keyPairId": gone["keyPairId"]}))
}
