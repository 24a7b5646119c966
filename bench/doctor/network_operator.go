package doctor

var networkOperator = Check{
	ID:       "network-operator",
	What:     "Whether the driver container of NVIDIA's Network Operator has loaded its driver on this Kubernetes node.",
	Why:      "Until then RDMA devices have the kernel's own driver, or none.",
	How:      "/run/mellanox/drivers/.driver-ready; a container sees it only if it is mounted.",
	Outcomes: []*Outcome{netOperatorReady, netOperatorAbsent, netOperatorUnread},
	Sources:  []string{"https://github.com/Mellanox/network-operator"},
	Look:     lookNetworkOperator,
}

var (
	netOperatorReady  = &Outcome{Status: Pass, When: "the driver is ready"}
	netOperatorAbsent = &Outcome{Status: Info, Absent: true, When: "the driver container has left nothing here", Advice: "Where the operator is used: kubectl get pods of the mofed daemon set on this node."}
	netOperatorUnread = &Outcome{Status: Unknown, When: "the file cannot be read", Advice: "Run as root, or mount /run/mellanox into the container readable."}
)

const driverReady = "run/mellanox/drivers/.driver-ready"

func lookNetworkOperator(v *View) []Finding {
	_, err := v.raw(driverReady)
	switch {
	case err == nil:
		return []Finding{netOperatorReady.found([]Evidence{saw(driverReady, "exists")}, "the driver container has loaded its driver")}
	case isAbsent(err):
		return []Finding{netOperatorAbsent.found(nil, "no driver container of the Network Operator")}
	}
	return []Finding{netOperatorUnread.found(unread(driverReady, err), "whether the driver container has loaded its driver cannot be read")}
}
