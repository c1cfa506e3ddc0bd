#pragma once

#include "contract/lock.hpp"
#include "declaration/model.hpp"

/// The way back from what a lock says to what was declared.
namespace contract {

/// A queue with the options of the state and the payload of the contract, as it was declared; without positions.
/// `enumerations` are all that the types of its fields may name. Throws std::runtime_error when the lock was edited so
/// that its words mean nothing.
declaration::queue restore(const queue_state& state, const payload_contract& contract,
                           const std::vector<locked_enumeration>& enumerations);

/// A field alone.
declaration::field restore(const field& field, const std::vector<locked_enumeration>& enumerations);

}  // namespace contract
