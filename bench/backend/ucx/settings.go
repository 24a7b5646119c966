package ucx

import (
	"fmt"
	"strconv"
	"strings"

	"collbench/bench"
)

// variant is a set of settings. Several may be joined: "eager;peer-errors".
type variant struct {
	name, summary string
	settings      []string // "NAME=VALUE", of the processes
	peerErrors    bool
	offset        int // bytes from where UCX's memory begins to where a message does
}

// offsetPrefix begins a variant that has a number.
const offsetPrefix = "offset="

// variants are those that have names; every setting of UCX's is one too, as it is.
var variants = []variant{
	{name: "eager", summary: "data goes with the message, whatever its size", settings: []string{"UCX_RNDV_THRESH=inf"}},
	{name: "rendezvous", summary: "the ranks agree before the data goes, whatever its size", settings: []string{"UCX_RNDV_THRESH=0"}},
	{name: "peer-errors", summary: "UCX is to notice that a peer is gone, which leaves it transports that can (tcp, rc)", peerErrors: true},
	{name: "hardware-tags", summary: "a ConnectX adapter is to match tags", settings: []string{"UCX_RC_MLX5_TM_ENABLE=y", "UCX_DC_MLX5_TM_ENABLE=y"}},
	{name: "software-tags", summary: "no adapter is to match tags", settings: []string{"UCX_RC_MLX5_TM_ENABLE=n", "UCX_DC_MLX5_TM_ENABLE=n"}},
	{name: offsetPrefix + "N", summary: "messages begin N bytes into memory, up to 4096"},
}

const maxOffset = 4096

// findVariant reads a variant's text, less the settings of the environment in it.
func findVariant(text string) (joined variant, err error) {
	_, text = bench.VariantEnvironment(text)
	for name := range strings.SplitSeq(text, ";") {
		if name == "" {
			continue
		}
		v, err := namedVariant(name)
		if err != nil {
			return joined, err
		}
		joined.settings = append(joined.settings, v.settings...)
		joined.peerErrors = joined.peerErrors || v.peerErrors
		joined.offset += v.offset
	}
	return joined, nil
}

func namedVariant(name string) (variant, error) {
	if number, ok := strings.CutPrefix(name, offsetPrefix); ok {
		offset, err := strconv.Atoi(number)
		if err != nil || offset < 0 || offset > maxOffset {
			return variant{}, fmt.Errorf("%q: want %s0 … %d", name, offsetPrefix, maxOffset)
		}
		return variant{offset: offset}, nil
	}
	var names []string
	for _, v := range variants {
		if v.name == name {
			return v, nil
		}
		names = append(names, v.name)
	}
	return variant{}, fmt.Errorf("the ucx backend has no variant %q: want default, %s, or settings such as UCX_TLS=tcp", name, strings.Join(names, ", "))
}
