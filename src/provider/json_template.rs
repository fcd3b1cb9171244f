//! A JSON body as a definition writes it: any tree, whose texts are templates.

use super::template::{Template, Values};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Numbers, true, false and null are sent as such; a text is sent as a text, whatever its places
/// hold.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(untagged))]
pub enum Json {
    Text(Template),
    Object(BTreeMap<String, Json>),
    List(Vec<Json>),
    #[cfg_attr(test, schemars(with = "serde_json::Value"))]
    Fixed(serde_json::Value),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadJson)
    }
}

/// Not by way of a `Value`, so that a mistake has its key.
struct ReadJson;

impl<'de> Visitor<'de> for ReadJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, a number, true, false, a list or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Template::try_from(text.to_owned()).map(Json::Text).map_err(E::custom)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Fixed(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Fixed(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Fixed(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Fixed(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Fixed(serde_json::Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Json, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Json::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Json, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Json::Object)
    }
}

impl Json {
    /// The texts, each with the key that leads to it.
    pub(super) fn texts(&self) -> Vec<(String, &Template)> {
        match self {
            Json::Text(text) => vec![(String::new(), text)],
            Json::Object(table) => table.iter().flat_map(|(name, json)| json.below(name)).collect(),
            Json::List(items) => {
                let items = items.iter().enumerate();
                items.flat_map(|(index, json)| json.below(&format!("[{index}]"))).collect()
            }
            Json::Fixed(_) => Vec::new(),
        }
    }

    fn below(&self, key: &str) -> Vec<(String, &Template)> {
        let put_before = |(rest, text): (String, _)| {
            let dot = if rest.is_empty() || rest.starts_with('[') { "" } else { "." };
            (format!("{key}{dot}{rest}"), text)
        };
        self.texts().into_iter().map(put_before).collect()
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self, Json::Object(_))
    }

    /// The body with the values in their places.
    pub fn fill(&self, values: &Values) -> Vec<u8> {
        // Writing to memory does not fail.
        serde_json::to_vec(&Filled { json: self, values }).unwrap_or_default()
    }
}

struct Filled<'a> {
    json: &'a Json,
    values: &'a Values,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values;
        match self.json {
            Json::Text(text) => serializer.serialize_str(text.fill(values).expose()),
            Json::Fixed(value) => value.serialize(serializer),
            Json::Object(table) => {
                let mut map = serializer.serialize_map(Some(table.len()))?;
                for (name, json) in table {
                    map.serialize_entry(name, &Filled { json, values })?;
                }
                map.end()
            }
            Json::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for json in items {
                    list.serialize_element(&Filled { json, values })?;
                }
                list.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use serde_json::json;

    #[test]
    fn every_text_is_filled_and_everything_else_sent_as_it_is() {
        let tree = json!({
            "identifier": { "type": "m.id.user", "user": "{u}" },
            "list": ["{u}{u}", 1, 1.5, true, null, []],
        });
        let body: Json = serde_json::from_value(tree).unwrap();
        let keys: Vec<_> = body.texts().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["identifier.type", "identifier.user", "list[0]"]);
        let filled = body.fill(&[("u".to_owned(), Secret::new("\"7\""))].into());
        let filled: serde_json::Value = serde_json::from_slice(&filled).unwrap();
        let wanted = json!({
            "identifier": { "type": "m.id.user", "user": "\"7\"" },
            "list": ["\"7\"\"7\"", 1, 1.5, true, null, []],
        });
        assert_eq!(filled, wanted);
        assert!(serde_json::from_value::<Json>(json!({ "a": "{u" })).is_err());
    }
}
