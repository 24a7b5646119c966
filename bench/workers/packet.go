package workers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

// packet is what goes along the edges of the control tree: 17 bytes of header, big-endian, and the JSON of an order
// or of a message. Agents on the way pass it on without reading the JSON.
type packet struct {
	kind   packetKind
	rank   int32 // downwards the agent that it is for, or everybody; upwards the one that it comes from
	launch int32
	node   int32 // of a message upwards: who says it
	body   []byte
}

type packetKind byte

const (
	forAgents  packetKind = 'o' // an order, or an agent's answer
	forWorkers packetKind = 'm' // a message to all workers of the launch, or from one
)

// everybody is the rank of what all agents get.
const everybody = -1

const packetHeader = 17

// orderPacket is an order to the agent with the rank, or an answer from it.
func orderPacket(rank int, o order) packet {
	body, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("order %s: %v", o.Kind, err)) // a struct of plain fields
	}
	return packet{kind: forAgents, rank: int32(rank), launch: int32(o.Launch), body: body}
}

func (p packet) write(w io.Writer) error {
	header := make([]byte, 0, packetHeader)
	header = append(header, byte(p.kind))
	for _, v := range []int32{p.rank, p.launch, p.node, int32(len(p.body))} {
		header = binary.BigEndian.AppendUint32(header, uint32(v))
	}
	buffers := net.Buffers{header, p.body}
	_, err := buffers.WriteTo(w)
	return err
}

func readPacket(r io.Reader) (p packet, err error) {
	var header [packetHeader]byte
	if _, err = io.ReadFull(r, header[:]); err != nil {
		return p, err
	}
	word := func(i int) int32 { return int32(binary.BigEndian.Uint32(header[1+4*i:])) }
	p.kind, p.rank, p.launch, p.node = packetKind(header[0]), word(0), word(1), word(2)
	if p.kind != forAgents && p.kind != forWorkers {
		return p, fmt.Errorf("control packet of unknown kind %q", header[0])
	}
	p.body, err = readBody(r, uint32(word(3)))
	return p, err
}

// order reads the order in the packet.
func (p packet) order() (o order, err error) {
	if err = json.Unmarshal(p.body, &o); err != nil {
		return o, fmt.Errorf("order from or for rank %d: %w", p.rank, err)
	}
	return o, nil
}
