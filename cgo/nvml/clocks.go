//go:build cgo

package nvml

import "github.com/NVIDIA/go-nvml/pkg/nvml"

// reasons are nvmlClocksEventReasons, by the names that nvidia-smi gives them, and whether they make figures slower than
// the device is.
var reasons = []struct {
	bit       uint64
	name      string
	throttles bool
}{
	{nvml.ClocksEventReasonGpuIdle, "gpu_idle", false},
	{nvml.ClocksEventReasonApplicationsClocksSetting, "applications_clocks_setting", false},
	{nvml.ClocksEventReasonSwPowerCap, "sw_power_cap", true},
	{nvml.ClocksThrottleReasonHwSlowdown, "hw_slowdown", true},
	{nvml.ClocksEventReasonSyncBoost, "sync_boost", false},
	{nvml.ClocksEventReasonSwThermalSlowdown, "sw_thermal_slowdown", true},
	{nvml.ClocksThrottleReasonHwThermalSlowdown, "hw_thermal_slowdown", true},
	{nvml.ClocksThrottleReasonHwPowerBrakeSlowdown, "hw_power_brake_slowdown", true},
	{nvml.ClocksEventReasonDisplayClockSetting, "display_clock_setting", false},
}

const mega = 1e6

// Clocks reads clocks, temperature, power, and the reasons for the clocks being what they are, at this moment.
func (d Device) Clocks() (Clocks, error) {
	var c Clocks
	sm, result := d.device.GetClockInfo(nvml.CLOCK_SM)
	if ok, err := known("nvmlDeviceGetClockInfo", result); err != nil {
		return c, err
	} else if ok {
		c.SM = float64(sm) * mega
	}
	most, result := d.device.GetMaxClockInfo(nvml.CLOCK_SM)
	if ok, err := known("nvmlDeviceGetMaxClockInfo", result); err != nil {
		return c, err
	} else if ok {
		c.MaxSM = float64(most) * mega
	}
	memory, result := d.device.GetClockInfo(nvml.CLOCK_MEM)
	if ok, err := known("nvmlDeviceGetClockInfo", result); err != nil {
		return c, err
	} else if ok {
		c.Memory = float64(memory) * mega
	}
	celsius, result := d.device.GetTemperature(nvml.TEMPERATURE_GPU)
	if ok, err := known("nvmlDeviceGetTemperature", result); err != nil {
		return c, err
	} else if ok {
		t := float64(celsius)
		c.Temperature = &t
	}
	milliwatts, result := d.device.GetPowerUsage()
	if ok, err := known("nvmlDeviceGetPowerUsage", result); err != nil {
		return c, err
	} else if ok {
		p := float64(milliwatts) * 1e-3
		c.Power = &p
	}
	return c, d.reasons(&c)
}

// reasons reads why the clocks are what they are, by the function's new name or its old one.
func (d Device) reasons(c *Clocks) error {
	read := d.device.GetCurrentClocksThrottleReasons
	if d.lib.has("nvmlDeviceGetCurrentClocksEventReasons") { // driver 535
		read = d.device.GetCurrentClocksEventReasons
	}
	bits, result := read()
	ok, err := known("nvmlDeviceGetCurrentClocksEventReasons", result)
	for _, r := range reasons {
		if ok && bits&r.bit != 0 {
			c.Reasons = append(c.Reasons, r.name)
			if r.throttles {
				c.Throttled = append(c.Throttled, r.name)
			}
		}
	}
	return err
}
