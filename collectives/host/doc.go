// Package host carries out an algorithm's programs for real, between processes.
//
// It stands behind package collectives on the data's way: it compiles the program of one node (Compile) and runs it
// (Engine) over one Channel per peer: TCP (Network), shared memory, or memory of the node itself. It knows no
// algorithm; a switch is a node like any other. bench/backend/host measures it.
//
// # Why it cannot stand still
//
// Each node has one thread, and no call blocks. Messages of a pair and direction form one queue at both ends, in
// the order of the rounds, which is the same at both. A message waits for operations of earlier rounds at its own
// node; for its place in the queue; and for nothing else: a send finds its bytes as the round before left them, and
// an arrival that may not be written yet, because a send of its own round still needs what is there, is put aside
// when nothing else moves. Only arrivals that wait for no send of their round, not even through others, wait for
// arrivals that their node lists before them, and the list is in the order of the queues.
//
// So let all rounds before t be done everywhere. Of the messages of round t take any pair's first one that is not
// done. Its sender has all that it needs. So has its receiver, unless other arrivals of the round come first; of
// those, the first in its list comes from the head of a queue, and waits for nothing. So something can move, with
// channels of any capacity, even one element. By induction every round ends, and so does the next iteration, which
// is like more rounds: a node starts it when it has done its own part of the one before.
//
// No node waits for a round as such, nor for nodes that it has nothing to do with.
package host
