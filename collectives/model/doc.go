// Package model prices the program of an algorithm on a machine: how long a collective must take where nothing but
// the machine's latencies and rates is in the way.
//
// It stands beside the measurement: what is measured is held against it, and where nothing can be measured (131,072
// ranks) it stands alone. Its inputs are a collectives.Algorithm, whose program it reads, and a Machine; it measures
// nothing and knows no algorithm by name.
//
// # How a program is priced
//
// Rounds in which the same phases are active are alike, so each such pattern is priced once. A message loads every
// link on its way for as long as the link needs for its bytes, and a round lasts as long as its most loaded link
// (as max–min fair sharing does, see the tests). Latency follows Hockney's model (1994), paid along chains
// of messages that depend on each other:
//
//   - a phase whose rounds each send what the round before brought (a ring) pays the mean latency of its messages
//     every round: a part that travels round the ring meets all of them, as in NCCL's own model;
//   - a phase of a pipeline, whose rounds are the chunks of a stream that do not wait for each other, pays once,
//     when its first chunk passes;
//   - a phase of one round pays once, and a phase whose rounds vary pays every round.
//
// While only pipelines run, nobody keeps step: besides the sum of the rounds there is the time of the busiest link for
// all that it carries plus the passage of one chunk through the other hops. The sum charges a chain that fills over
// unequal hops as if every hop were the slowest; the smaller of the two stands.
//
// That holds where rounds are kept, as libraries do. Where nobody keeps step (Machine.FreeRunning: collbench's own
// engine over TCP), a node sends in the order of the rounds but waits for no one else's. Up to some ten thousand
// messages such a program is also replayed message by message, with its dependencies and max–min fair shares, and the
// smaller of the two times stands. Both ways agree where each node talks to one peer at a time (see the tests).
//
// What is left out: start-up of processes, contention inside switches, hash collisions of flows, the protocols of
// libraries, and a message's own cost in instructions, so that very many very small chunks look too cheap.
package model
