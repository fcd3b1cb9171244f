//! From a tree of values to the types of a definition, by serde. Each problem leaves with its key.
//!
//! A table with a `flow` is an enum: the flow names the variant, the other keys are its fields.
//! Serde's own tagged enums lose the key of what is wrong in them.

use super::problem::{At, Checked, Problem, suggest};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use std::{iter, slice};

const FLOW: &str = "flow";

pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Checked<T> {
    T::deserialize(Reader { value, skips_flow: false })
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    /// True for the rest of a table whose flow is known already.
    skips_flow: bool,
}

/// The kinds of values, in our words.
macro_rules! expect {
    ($($deserialize:ident: $wanted:literal, $is_it:ident;)*) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
            self.expect($wanted, Value::$is_it)?.deserialize_any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => number.deserialize_any(visitor).map_err(Problem::custom),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(table) => visitor.visit_map(Entries {
                left: table.iter(),
                skips_flow: self.skips_flow,
                current: None,
            }),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        let number = self.value.as_u64().and_then(|number| u16::try_from(number).ok());
        visitor.visit_u16(number.ok_or_else(|| Problem::unexpected("a number", self.value))?)
    }

    expect! {
        deserialize_bool: "true or false", is_boolean;
        deserialize_str: "a text", is_string;
        deserialize_string: "a text", is_string;
        deserialize_seq: "a list", is_array;
        deserialize_map: "a table", is_object;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Checked<V::Value> {
        self.deserialize_map(visitor)
    }

    /// A flow without keys of its own.
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        let names = self.value.as_object().into_iter().flat_map(serde_json::Map::keys);
        match names.into_iter().find(|name| *name != FLOW) {
            Some(name) => Err(Problem::unknown_field(name, &[]).at(name.as_str())),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Checked<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        flows: &'static [&'static str],
        visitor: V,
    ) -> Checked<V::Value> {
        let quote = |flow: &str| format!("\"{flow}\"");
        let table = self.expect("a table with a `flow`", Value::is_object)?.value;
        let flow = match table.get(FLOW) {
            Some(Value::String(flow)) if flows.contains(&flow.as_str()) => Ok(flow.as_str()),
            Some(Value::String(flow)) => Err(Problem::new(format!(
                "there is no flow '{flow}' here"
            ))
            .with_hint(suggest(flow, flows.iter().copied(), quote))),
            Some(other) => Err(Problem::unexpected("a text", other)),
            None => {
                let all: Vec<String> = flows.iter().map(|flow| quote(flow)).collect();
                let hint = format!("It is one of: {}.", all.join(", "));
                Err(Problem::new("it is missing").with_hint(hint))
            }
        };
        let rest = Reader { value: table, skips_flow: true };
        visitor.visit_enum(MapAccessDeserializer::new(Flow(flow.at(FLOW)?, rest)))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u32 u64 f32 f64 char bytes byte_buf unit_struct newtype_struct tuple
        tuple_struct identifier ignored_any
    }
}

impl Reader<'_> {
    fn expect(self, wanted: &str, is_it: fn(&Value) -> bool) -> Checked<Self> {
        if is_it(self.value) { Ok(self) } else { Err(Problem::unexpected(wanted, self.value)) }
    }
}

struct Items<'a>(iter::Enumerate<slice::Iter<'a, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Checked<Option<S::Value>> {
        let Some((index, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader { value, skips_flow: false }).at(index).map(Some)
    }
}

struct Entries<'a> {
    left: serde_json::map::Iter<'a>,
    skips_flow: bool,
    current: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Checked<Option<S::Value>> {
        let skips_flow = self.skips_flow;
        let Some((name, value)) = self.left.find(|(name, _)| !skips_flow || *name != FLOW) else {
            return Ok(None);
        };
        self.current = Some((name, value));
        let key: StrDeserializer<Problem> = name.as_str().into_deserializer();
        seed.deserialize(key).at(name.as_str()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Checked<S::Value> {
        let current = self.current.take();
        let (name, value) = current.ok_or_else(|| Problem::custom("a value without a key"))?;
        seed.deserialize(Reader { value, skips_flow: false }).at(name)
    }
}

/// A table with a flow, as a map of the flow to the rest of the table: serde reads that as an enum.
struct Flow<'a>(&'a str, Reader<'a>);

impl<'de> MapAccess<'de> for Flow<'de> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Checked<Option<S::Value>> {
        let flow: StrDeserializer<Problem> = self.0.into_deserializer();
        seed.deserialize(flow).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Checked<S::Value> {
        seed.deserialize(self.1)
    }
}
