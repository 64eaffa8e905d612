//! What the products' HTTP sides share: a request read once, forms, pages of lists, an answer before it becomes HTTP.

mod multipart;
pub(crate) mod page;
pub(crate) mod reply;
pub(crate) mod request;
