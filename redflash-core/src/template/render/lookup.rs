//! Looking up the values of paths.

use serde_json::{Map, Value};

use super::super::path::{Base, Path};
use super::{Renderer, Stop, Val};

impl<'a> Renderer<'a> {
    /// Returns true if a path without a value names a missing argument, not a part of a list's
    /// entry.
    pub(super) fn is_argument(&self, path: &Path) -> bool {
        let is_root = match path.base {
            Base::Root => true,
            Base::Scope(up) => up >= self.scopes.len(),
            Base::Local(_) => false,
        };
        is_root && !path.segments.is_empty() && self.named(path).is_none()
    }

    pub(super) fn find(&mut self, path: &'a Path) -> Result<Option<Val<'a>>, Stop> {
        self.step(1 + path.segments.len())?;
        let (this, segments) = match path.base {
            Base::Local(up) => return Ok(self.local(path, up)),
            Base::Root => (None, &*path.segments),
            Base::Scope(up) => {
                if let Some(value) = self.named(path) {
                    (Some(value.clone()), &path.segments[1..])
                } else {
                    let depth = self.scopes.len().checked_sub(up + 1);
                    let scope = depth.and_then(|depth| self.scopes.get(depth));
                    (scope.map(|scope| scope.this.clone()), &*path.segments)
                }
            }
        };
        if let Some(Val::Made(Value::String(copied))) = &this {
            self.work(copied.len())?;
        }
        Ok(match this {
            None | Some(Val::All) if segments.is_empty() => Some(Val::All),
            None | Some(Val::All) => self.descend_object(self.arguments, segments)?.map(Val::Of),
            Some(Val::Of(value)) => self.descend(value, segments)?.map(Val::Of),
            Some(value) => segments.is_empty().then_some(value),
        })
    }

    /// Returns the value of a name that a surrounding block defines.
    fn named(&self, path: &Path) -> Option<&Val<'a>> {
        let name = path
            .segments
            .first()
            .filter(|_| path.base == Base::Scope(0))?;
        let mut names = self.scopes.iter().rev().flat_map(|scope| &scope.names);
        names.find_map(|(known, value)| (*known == name).then_some(value))
    }

    fn local(&self, path: &Path, up: usize) -> Option<Val<'a>> {
        let depth = self.scopes.len().checked_sub(up + 1)?;
        let (index, count, key) = self.scopes.get(depth)?.position?;
        Some(Val::Made(match path.segments.first()?.as_str() {
            "index" => index.into(),
            "first" => (index == 0).into(),
            "last" => (index + 1 == count).into(),
            "key" => key?.into(),
            _ => return None,
        }))
    }

    fn descend(
        &mut self,
        value: &'a Value,
        segments: &'a [String],
    ) -> Result<Option<&'a Value>, Stop> {
        match (value, segments) {
            (value, []) => Ok(Some(value)),
            (Value::Object(object), segments) => self.descend_object(object, segments),
            (Value::Array(entries), [position, rest @ ..]) => {
                let entry = position
                    .parse()
                    .ok()
                    .and_then(|position: usize| entries.get(position));
                entry.map_or(Ok(None), |entry| self.descend(entry, rest))
            }
            _ => Ok(None),
        }
    }

    /// Descends name by name, and tries names that contain dots if that leads nowhere.
    fn descend_object(
        &mut self,
        object: &'a Map<String, Value>,
        segments: &'a [String],
    ) -> Result<Option<&'a Value>, Stop> {
        let mut name = String::new();
        for (position, segment) in segments.iter().enumerate() {
            self.step(1)?;
            if position > 0 {
                name.push('.');
            }
            name.push_str(segment);
            if let Some(value) = object.get(&name)
                && let Some(found) = self.descend(value, &segments[position + 1..])?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
