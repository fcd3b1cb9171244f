//! What a service is: the types of its definition, how a provider file or a dictionary is read, the
//! built-in catalogue, and where else files come from.
//!
//! TOML → plain values, with parameters filled in → typed definition. No request is made here.

mod account;
mod api;
mod built_in;
mod candidates;
mod definition;
#[cfg(test)]
mod definition_test;
mod document;
mod everywhere;
mod headers;
mod hosts;
mod json_template;
mod key;
mod leaf;
mod login;
mod logout;
mod oauth;
mod origin;
mod parameters;
mod poll;
mod post_logout;
mod problem;
mod public_suffix;
mod question;
mod redirect;
mod renewal;
mod request;
#[cfg(test)]
mod schema_test;
mod scope;
mod several;
mod sign;
mod sources;
#[cfg(test)]
mod sources_test;
mod step;
mod take;
mod template;
mod url_template;
mod using;
mod web_page;

pub use account::AccountRequest;
pub use api::ApiRule;
#[cfg(test)]
pub(crate) use built_in::built_in;
pub use candidates::UnusedFile;
pub use definition::{AnswerRule, Audience, Provider, SessionRule};
pub use everywhere::{EndOthers, Everywhere, SessionList};
pub use headers::is_reserved;
pub use hosts::{Hosts, is_loopback, is_private};
pub use json_template::Json;
pub use key::{id_of, service_of};
pub use leaf::{
    Address, CookieName, HeaderName, Method, Pointer, RefusalStatuses, RelativePath, Scalar,
};
pub use login::{HostedForm, Login, LoginKind, PasswordLogin, Submit};
pub use logout::{Logout, LogoutPage, LogoutRequest, LogoutStep, Probe, ProbeRequest, Proof};
pub use oauth::{ClientAuth, Encoding, OAuth};
pub use origin::Origin;
pub use parameters::{Given, Parameter};
pub use poll::{Amount, Poll, PollLogin, Show};
pub use post_logout::{AfterLogout, Downgrade};
pub use problem::Problem;
pub use public_suffix::is_public_suffix;
pub use question::{ANSWER, Question, QuestionKind};
pub use redirect::AuthorizationCode;
pub use renewal::{Renew, RenewPage, RenewRequest};
pub use request::{Headers, Pairs, RequestTemplate, Target};
pub use scope::{DEVICE_ID, NOW, NOW_MS, TOKENS, UUID, is_of_session};
pub use several::Several;
pub use sign::{Sign, Signs};
pub use sources::{FileSource, Replaces, Sources, find, is_path};
pub use step::Step;
pub use take::{Take, TakeFrom, Takes};
pub use template::{CLAIM, COOKIE, Template, Values};
pub use url_template::UrlTemplate;
pub use web_page::is_safe_page;
