package doctor

import (
	"slices"
	"strings"
)

var gpuOperator = Check{
	ID:   "gpu-operator",
	What: "What the validator of NVIDIA's GPU Operator found on this Kubernetes node.",
	Why:  "A component that it has not found ready, such as the driver or nvidia-peermem, is missing for the ranks' containers too.",
	How: "/run/nvidia/validations/*-ready, written by the operator's validator on the node; a container sees it only if it is mounted. " +
		"The labels of the node need the Kubernetes interface and are not looked at.",
	Outcomes: []*Outcome{operatorReady, operatorMissing, operatorAbsent, operatorUnread},
	Sources: []string{
		"https://github.com/NVIDIA/gpu-operator/tree/main/cmd/nvidia-validator",
	},
	Look: lookGPUOperator,
}

var (
	operatorReady   = &Outcome{Status: Pass, When: "driver, toolkit and CUDA are ready"}
	operatorMissing = &Outcome{Status: Warn, When: "one of driver, toolkit and CUDA is not", Advice: "kubectl -n gpu-operator get pods, and the log of nvidia-operator-validator on this node."}
	operatorAbsent  = &Outcome{Status: Info, Absent: true, When: "the validator has left nothing here", Advice: "Run on the node, or mount /run/nvidia into the container."}
	operatorUnread  = &Outcome{Status: Unknown, When: "the folder cannot be read", Advice: "Run as root, or mount /run/nvidia into the container readable."}
)

const validations = "run/nvidia/validations"

func lookGPUOperator(v *View) []Finding {
	names, err := v.list(validations)
	if isAbsent(err) {
		return []Finding{operatorAbsent.found(nil, "no validation of the GPU Operator")}
	}
	if err != nil {
		return []Finding{operatorUnread.found(unread(validations, err), "the validations of the GPU Operator cannot be read")}
	}
	var ready, missing []string
	for _, name := range names {
		if component, ok := strings.CutSuffix(name, "-ready"); ok {
			ready = append(ready, component)
		}
	}
	for _, component := range []string{"driver", "toolkit", "cuda"} {
		if !slices.Contains(ready, component) {
			missing = append(missing, component)
		}
	}
	where := []Evidence{saw(validations, each(ready))}
	if len(missing) > 0 {
		return []Finding{operatorMissing.found(where, "not ready: %s", each(missing))}
	}
	return []Finding{operatorReady.found(where, "ready: %s", each(ready))}
}
