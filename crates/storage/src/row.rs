//! Statements with numbered parameters, and rows read into the model's types.
