//! What a service is: the types of its definition, how a provider file or a dictionary is read, the
//! built-in catalogue.
//!
//! TOML → plain values, with parameters filled in → typed definition. No request is made here.

mod account;
mod built_in;
mod definition;
#[cfg(test)]
mod definition_test;
mod document;
mod everywhere;
mod headers;
mod hosts;
mod key;
mod leaf;
mod login;
mod logout;
mod oauth;
mod parameters;
mod post_logout;
mod problem;
mod public_suffix;
mod question;
mod renewal;
mod request;
#[cfg(test)]
mod schema_test;
mod several;
mod template;

pub use account::AccountRequest;
pub use built_in::{built_in, choose, find, with_key};
pub use definition::{AnswerRule, ApiRule, Provider, SessionRule};
pub use everywhere::{Everywhere, SessionList};
pub use headers::is_reserved;
pub use hosts::{Hosts, is_loopback};
pub use key::{id_of, service_of};
pub use leaf::{
    Address, CookieName, HeaderName, Method, Pointer, RefusalStatuses, RelativePath, Scalar,
};
pub use login::{HostedForm, Login, LoginKind, Page, PasswordLogin, Submit, Take};
pub use logout::{Logout, LogoutRequest, LogoutTarget, Probe, Proof, Step};
pub use oauth::OAuth;
pub use parameters::{Given, Parameter};
pub use post_logout::{AfterLogout, Downgrade};
pub use problem::Problem;
pub use public_suffix::is_public_suffix;
pub use question::{ANSWER, Question, QuestionKind, Sign};
pub use renewal::{Renew, RenewPage, RenewRequest};
pub use request::{Headers, Pairs, RequestTemplate};
pub use template::{CLAIM, Template, Values};
