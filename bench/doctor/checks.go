package doctor

// All lists the checks in the order in which they are looked at: what spoils most comes first.
var All = []Check{
	gpuMode,
	vgpuDriver,
	vgpuLicense,
	barMMIO,
	gdrDistance,
	gdrKernel,
	ats,
	acs,
	gpuP2P,
	uvm,
	fabric,
	mig,
	numa,
	link,
	ibPort,
	nicDriver,
	memlock,
	sharp,
	tagMatching,
	gds,
	nvmeSNAP,
	gpuOperator,
	networkOperator,
	stack,
}
