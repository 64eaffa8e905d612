//! Small tables under names, and the fields of an answer that are not documented.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use serde_json::Value;

use crate::twilio::name::Name;
use crate::twilio::number::whole_or_zero;

/// Values under names, in the order of the names. As small as it gets: there are tens of thousands of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Table<T>(Box<[(Name, T)]>);

pub type Counts = Table<u64>;

impl<T> Table<T> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

impl<T: Clone> Table<T> {
    /// With the entries of an earlier table that this one lacks, as `keep` leaves them.
    #[must_use]
    pub(super) fn completed_by(self, earlier: &Self, keep: impl Fn(&str, &T) -> T) -> Self {
        let lacks = |name: &str| self.get(name).is_none();
        let kept: Vec<(Name, T)> = earlier.0.iter().filter(|(name, _)| lacks(name)).cloned().collect();
        if kept.is_empty() {
            return self;
        }
        let kept = kept.into_iter().map(|(name, value)| {
            let value = keep(&name, &value);
            (name, value)
        });
        self.0.into_vec().into_iter().chain(kept).collect::<Vec<_>>().into()
    }
}

impl Counts {
    /// The count under a name; a name that is not there counts nothing.
    pub fn count(&self, name: &str) -> u64 {
        self.get(name).copied().unwrap_or(0)
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<T> From<Vec<(Name, T)>> for Table<T> {
    fn from(mut entries: Vec<(Name, T)>) -> Self {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self(entries.into())
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
            type Value = Table<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<T>, A::Error> {
                let mut entries = Vec::with_capacity(4);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries.into())
            }
        }
        deserializer.deserialize_map(TableVisitor(std::marker::PhantomData))
    }
}

/// Reads counts, as numbers or as text; null is none.
pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
    #[derive(Deserialize)]
    struct Count(#[serde(deserialize_with = "whole_or_zero")] u64);
    let table: Table<Count> = Option::deserialize(deserializer)?.unwrap_or_default();
    Ok(table.0.into_iter().map(|(name, Count(count))| (name, count)).collect::<Vec<_>>().into())
}

/// Reads a struct whose unknown fields are collected beside it. `serde(flatten)` does the same, but keeps a copy of the
/// whole answer in small pieces meanwhile.
pub(super) struct Splitting<'x, D> {
    pub(super) inner: D,
    pub(super) unknown: &'x mut Vec<(Name, Value)>,
}

struct Fields<'x, V> {
    known: &'static [&'static str],
    unknown: &'x mut Vec<(Name, Value)>,
    visitor: V,
}

struct KnownFields<'x, A> {
    known: &'static [&'static str],
    unknown: &'x mut Vec<(Name, Value)>,
    map: A,
}

struct FieldName(&'static [&'static str]);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Splitting<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Fields { known: fields, unknown: self.unknown, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(KnownFields { known: self.known, unknown: self.unknown, map })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for KnownFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key_seed(FieldName(self.known))? {
            match name {
                Ok(known) => return seed.deserialize(StrDeserializer::new(known)).map(Some),
                Err(unknown) => self.unknown.push((unknown, self.map.next_value()?)),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Result<&'static str, Name>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Result<&'static str, Name>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|known| **known == name).copied().ok_or_else(|| name.into()))
    }
}
