//! Working by hand over the API, under the rules of ROUTING 2 and 12.
