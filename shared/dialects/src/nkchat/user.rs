//! Users, as this dialect shows them. Never with their password.

use domain::{Object, User};

/// The name that others see: the name and, if there is one, the surname.
#[must_use]
pub fn full_name(name: &str, surname: Option<&str>) -> String {
    match surname.filter(|surname| !surname.is_empty()) {
        Some(surname) => format!("{name} {surname}"),
        None => name.to_owned(),
    }
}

/// A user's fields.
#[must_use]
pub fn fields(user: &User) -> Object {
    let surname = user.surname.as_deref();
    // A name that was changed elsewhere, and does not end so any more, is all there is to say.
    let split = surname.and_then(|surname| {
        let name = user.name.strip_suffix(surname)?.strip_suffix(' ')?;
        Some((name, surname))
    });
    let mut fields = Object::new();
    fields.insert("user_id".into(), user.id.as_str().into());
    if let Some(login) = &user.email {
        fields.insert("login".into(), login.as_str().into());
    }
    fields.insert("name".into(), split.map_or(user.name.as_str(), |(name, _)| name).into());
    if let Some((_, surname)) = split {
        fields.insert("surname".into(), surname.into());
    }
    fields.insert("created_time".into(), user.created_at.millis().into());
    fields
}

#[cfg(test)]
mod tests {
    use domain::{Number, Timestamp, UserId};

    use super::*;

    #[test]
    fn a_name_is_split_as_it_was_given_until_it_is_changed() {
        let mut user = User::new(UserId::trusted("u"), Number(1), Timestamp::from_millis(5));
        user.surname = Some("de la Cruz".into());
        user.name = full_name("Ana", user.surname.as_deref());
        let shown = fields(&user);
        assert_eq!((&shown["name"], &shown["surname"]), (&"Ana".into(), &"de la Cruz".into()));
        user.name = "Anna".into();
        let shown = fields(&user);
        assert_eq!((&shown["name"], shown.get("surname")), (&"Anna".into(), None));
        assert_eq!(full_name("Ana", Some("")), "Ana");
    }
}
