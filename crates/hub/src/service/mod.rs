//! What can be done, as functions over the hub: one module per noun. Every effect takes a permit and
//! writes its audit event in the transaction of the change.
