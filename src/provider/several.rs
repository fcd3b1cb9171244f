//! Where a file may hold one of a kind or a list of them.

use super::problem::{At, Checked};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// One, or a list of several; `Deref` gives all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several<T> {
    all: Vec<T>,
    is_list: bool,
}

impl<T> Several<T> {
    /// Checks each; a problem has its place in the list as its key, where there is a list.
    pub(super) fn each(&self, check: impl Fn(&T) -> Checked) -> Checked {
        self.all.iter().enumerate().try_for_each(|(index, one)| {
            if self.is_list { check(one).at(&format!("[{index}]")) } else { check(one) }
        })
    }
}

impl<T> Default for Several<T> {
    fn default() -> Self {
        Several { all: Vec::new(), is_list: true }
    }
}

impl<T> Deref for Several<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrList(PhantomData))
    }
}

struct OneOrList<T>(PhantomData<T>);

macro_rules! one {
    ($($visit:ident $type:ty),*) => {$(
        fn $visit<E: serde::de::Error>(self, value: $type) -> Result<Self::Value, E> {
            one(T::deserialize(value.into_deserializer()))
        }
    )*};
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrList<T> {
    type Value = Several<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("one or a list")
    }

    one! { visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        one(T::deserialize(MapAccessDeserializer::new(map)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let all = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
        Ok(Several { all, is_list: true })
    }
}

fn one<T, E>(read: Result<T, E>) -> Result<Several<T>, E> {
    read.map(|one| Several { all: vec![one], is_list: false })
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Several<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("SeveralOf{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::Problem;
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<Several<String>, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn one_and_a_list_of_one_are_alike_but_for_the_key() {
        let (one, list) = (read(json!("a")).unwrap(), read(json!(["a"])).unwrap());
        assert_eq!(*one, *list);
        let refuse = |_: &String| Err(Problem::new("x", "", ""));
        assert_eq!(one.each(refuse).at("k").unwrap_err().key, "k.x");
        assert_eq!(list.each(refuse).at("k").unwrap_err().key, "k[0].x");
        read(json!([1])).unwrap_err();
        read(json!(1)).unwrap_err();
    }
}
