//! The ways out: what is sent, and what the answers have to show.

use super::{
    Builder, body, check_method, check_pointer, check_statuses, header_templates, invalid, refuse,
};
use crate::error::Result;
use crate::provider::definition::{
    Everywhere, Logout, LogoutRequest, Place, Probe, Proof, SessionList, Step,
};
use crate::provider::{CLAIM, file};
use serde_json::Value;
use url::Url;

/// What a logout may send in a header or a body; an address may hold claims only, because tokens
/// do not belong there (RFC 9700 section 4.3.2).
const TOKENS: [&str; 4] = ["access_token", "refresh_token", "id_token", CLAIM];

impl Builder<'_> {
    pub(super) fn logout(&self, logout: file::Logout, can_renew: bool) -> Result<Logout> {
        if logout.steps.is_empty() {
            return Err(invalid("logout.steps", "there is none")
                .with_hint("Without a request the server never knows of the logout."));
        }
        let mut taken = Vec::new();
        let mut steps = Vec::new();
        for (index, step) in logout.steps.into_iter().enumerate() {
            let key = format!("logout.steps[{index}]");
            steps.push(match step {
                file::Step::Request(request) => {
                    let request = self.request(&key, *request, &taken)?;
                    taken.extend(request.take.iter().map(|(name, _)| name.clone()));
                    Step::Request(Box::new(request))
                }
                file::Step::Revoke { tokens } => {
                    self.needs_oauth(&key, "revocation_endpoint")?;
                    let known = ["refresh_token", "access_token"];
                    if let Some(odd) = tokens.iter().find(|name| !known.contains(&name.as_str())) {
                        return refuse(
                            &format!("{key}.tokens"),
                            &format!("'{odd}' is no token that can be revoked"),
                        );
                    }
                    if tokens.is_empty() {
                        return refuse(&format!("{key}.tokens"), "name at least one token");
                    }
                    Step::Revoke(tokens)
                }
                file::Step::EndSession {} => {
                    self.needs_oauth(&key, "end_session_endpoint")?;
                    Step::EndSession
                }
            });
        }
        let probe = logout.probe.map(|probe| self.probe(probe, can_renew)).transpose()?;
        Ok(Logout { steps, probe })
    }

    fn request(
        &self,
        key: &str,
        request: file::RequestStep,
        taken: &[String],
    ) -> Result<LogoutRequest> {
        check_method(&format!("{key}.method"), &request.method, &["GET", "POST", "DELETE"])?;
        let place = match (request.url, request.url_from) {
            (Some(url), None) => {
                let mut target =
                    self.target(key, &url, request.query, file::Pairs::new(), &[CLAIM])?;
                target.headers = header_templates(key, request.headers, &TOKENS)?;
                Place::Fixed(target)
            }
            (None, Some(_)) if !request.query.is_empty() || !request.headers.is_empty() => {
                return Err(invalid(key, "with `url_from` there is no `query` and no `headers`")
                    .with_hint("The address that the answer holds is opened as it is."));
            }
            (None, Some(name)) if taken.contains(&name) => Place::Taken(name),
            (None, Some(name)) => {
                return Err(invalid(
                    &format!("{key}.url_from"),
                    &format!("no earlier step takes '{name}'"),
                )
                .with_hint(
                    "Take it from an answer first, as in take.logout_url = \"/logout_url\".",
                ));
            }
            _ => return refuse(key, "give one of `url` and `url_from`"),
        };
        let take = request
            .take
            .into_iter()
            .map(|(name, pointer)| {
                let key = format!("{key}.take.{name}");
                if TOKENS.contains(&name.as_str()) {
                    return refuse(&key, "a value of the session has this name already");
                }
                Ok((name, check_pointer(&key, pointer)?))
            })
            .collect::<Result<_>>()?;
        let warning = request
            .warning
            .map(|pointer| check_pointer(&format!("{key}.warning"), pointer))
            .transpose()?;
        Ok(LogoutRequest {
            method: request.method,
            place,
            body: body(key, request.json, request.form, &TOKENS)?,
            bearer: request.bearer,
            take,
            warning,
            proof: request.proof.map(|proof| check_proof(key, proof)).transpose()?,
        })
    }

    fn probe(&self, probe: file::Probe, can_renew: bool) -> Result<Probe> {
        match probe {
            file::Probe::Request { url, refused_status, bearer } => {
                check_statuses("logout.probe.refused_status", &refused_status)?;
                let url = self.url("logout.probe.url", &url)?;
                Ok(Probe::Request { url, refused_status, bearer })
            }
            file::Probe::Renew {} if can_renew => Ok(Probe::Renew),
            file::Probe::Renew {} => refuse("logout.probe", "there is no [renew] to try"),
        }
    }

    pub(super) fn everywhere(&self, everywhere: file::Everywhere) -> Result<Everywhere> {
        let file::Everywhere::List {
            url,
            sessions,
            id,
            current,
            end_url,
            end_method,
            end_status,
            bearer,
        } = everywhere
        else {
            return Ok(Everywhere::Logout);
        };
        let key = "everywhere";
        check_method("everywhere.end_method", &end_method, &["DELETE", "POST"])?;
        check_statuses("everywhere.end_status", &end_status)?;
        if !end_url.contains("{id}") {
            return Err(invalid(
                "everywhere.end_url",
                "it does not say where the session's id goes",
            )
            .with_hint("As in \"https://www.example.com/sessions/{id}\"."));
        }
        self.url("everywhere.end_url", &end_url.replace("{id}", "0"))?;
        Ok(Everywhere::List(Box::new(SessionList {
            url: self.url("everywhere.url", &url)?,
            sessions: check_pointer(&format!("{key}.sessions"), sessions)?,
            id: check_pointer(&format!("{key}.id"), id)?,
            current: check_pointer(&format!("{key}.current"), current)?,
            end_url,
            end_method,
            end_status,
            bearer,
        })))
    }
}

fn check_proof(key: &str, proof: file::Proof) -> Result<Proof> {
    let key = format!("{key}.proof");
    check_statuses(&format!("{key}.status"), &proof.status)?;
    if proof.deletes.iter().any(Vec::is_empty) {
        return refuse(&format!("{key}.deletes"), "each group names at least one cookie");
    }
    if proof.deletes.is_empty() && proof.locations.is_empty() && proof.json.is_empty() {
        return Err(invalid(
            &key,
            "a status alone proves nothing: add `deletes`, `locations` or `json`",
        )
        .with_hint("Where the answer shows nothing, leave the proof out and add [logout.probe]."));
    }
    let locations = proof
        .locations
        .iter()
        .map(|text| {
            Url::parse(text).map_err(|_| {
                invalid(&format!("{key}.locations"), &format!("'{text}' is not an address"))
                    .with_hint("Write it in full, as in \"https://www.example.com/goodbye\".")
            })
        })
        .collect::<Result<_>>()?;
    let json = proof
        .json
        .into_iter()
        .map(|(pointer, wanted)| {
            let wanted = match wanted {
                file::Scalar::Flag(flag) => Value::from(flag),
                file::Scalar::Number(number) => Value::from(number),
                file::Scalar::Text(text) => Value::from(text),
            };
            Ok((check_pointer(&format!("{key}.json"), pointer)?, wanted))
        })
        .collect::<Result<_>>()?;
    Ok(Proof { status: proof.status, locations, deletes: proof.deletes, json })
}
