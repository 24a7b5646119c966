package doctor

import "strings"

var tagMatching = Check{
	ID:       "tag-matching",
	What:     "Whether UCX is told to match tags in the NIC, and the NIC can.",
	Why:      "It takes the matching of messages from the CPU; MPI's large messages profit. UCX has it off by default.",
	How:      "UCX_RC_MLX5_TM_ENABLE; \"tag matching not supported\" in ibv_devinfo -v.",
	Outcomes: []*Outcome{tagOn, tagImpossible, tagOff, tagUnread, noRDMA, unreadRDMA},
	Sources: []string{
		"https://github.com/openucx/ucx/blob/master/src/uct/ib/mlx5/rc/rc_mlx5_common.c (TM_ENABLE)",
		"https://github.com/linux-rdma/rdma-core/blob/master/libibverbs/examples/devinfo.c",
	},
	Look: lookTagMatching,
}

var (
	tagOn         = &Outcome{Status: Pass, When: "it is asked for and a device can"}
	tagImpossible = &Outcome{Status: Fail, When: "it is asked for and no device can", Advice: "Unset UCX_RC_MLX5_TM_ENABLE, or use ConnectX-5 or later with native InfiniBand or RoCE."}
	tagOff        = &Outcome{Status: Info, Absent: true, When: "it is not asked for", Advice: "Compare a run with UCX_RC_MLX5_TM_ENABLE=y."}
	tagUnread     = &Outcome{Status: Unknown, When: "it is asked for, and ibv_devinfo does not answer", Advice: "Install rdma-core's ibverbs-utils."}
)

func lookTagMatching(v *View) []Finding {
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	asked := strings.ToLower(v.variable("UCX_RC_MLX5_TM_ENABLE"))
	if asked != "y" && asked != "yes" && asked != "on" && asked != "1" {
		return []Finding{tagOff.found(nil, "UCX_RC_MLX5_TM_ENABLE is not set")}
	}
	where := []Evidence{setting("UCX_RC_MLX5_TM_ENABLE", asked)}
	text, err := v.run(ibvDevices)
	devices := strings.Count(text, "hca_id:")
	if err == nil && devices == 0 {
		err = fsError(string(ibvDevices), errUnlike)
	}
	if err != nil {
		return []Finding{tagUnread.found(append(where, unread(string(ibvDevices), err)...), "asked for; whether a device can is not told")}
	}
	without := strings.Count(text, "tag matching not supported")
	where = append(where, Evidence{Path: string(ibvDevices), Field: "tag matching", Value: count(devices-without, "device")})
	if without >= devices {
		return []Finding{tagImpossible.found(where, "asked for, and no device can")}
	}
	return []Finding{tagOn.found(where, "asked for, and %d of %d devices can", devices-without, devices)}
}
