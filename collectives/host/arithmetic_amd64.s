#include "textflag.h"

// out[i] = a[i] op b[i] over n bytes, n a multiple of 32 and at least 32; no alignment is needed. The element-wise
// operations need AVX2, those of float16 F16C too. VZEROUPPER at the end: mixing with SSE code costs otherwise.

// An operation gets its operands in registers a and b, leaves the result in a and may use t.
#define ADDPS(a, b, t) VADDPS b, a, a
#define ADDPD(a, b, t) VADDPD b, a, a
#define MULPS(a, b, t) VMULPS b, a, a
#define MULPD(a, b, t) VMULPD b, a, a
#define ADDB(a, b, t)  VPADDB b, a, a
#define ADDD(a, b, t)  VPADDD b, a, a
#define ADDQ_(a, b, t) VPADDQ b, a, a
#define MULD(a, b, t)  VPMULLD b, a, a
#define MINB(a, b, t)  VPMINSB b, a, a
#define MAXB(a, b, t)  VPMAXSB b, a, a
#define MINUB(a, b, t) VPMINUB b, a, a
#define MAXUB(a, b, t) VPMAXUB b, a, a
#define MIND(a, b, t)  VPMINSD b, a, a
#define MAXD(a, b, t)  VPMAXSD b, a, a
#define MINUD(a, b, t) VPMINUD b, a, a
#define MAXUD(a, b, t) VPMAXUD b, a, a

// VMINPS and VMAXPS return their second operand where one is NaN or both are zeros. Both orders together give
// what Go's min and max give: for min the OR keeps a NaN and the sign of −0; for max the AND drops the sign of −0
// beside +0, and the mask of unordered lanes restores a NaN.
#define MINPS(a, b, t) VMINPS b, a, t \
	VMINPS a, b, a \
	VORPS  t, a, a
#define MINPD(a, b, t) VMINPD b, a, t \
	VMINPD a, b, a \
	VORPD  t, a, a
#define MAXPS(a, b, t) VMAXPS b, a, t \
	VCMPPS $3, b, a, Y15 \
	VMAXPS a, b, a \
	VANDPS t, a, a \
	VORPS  Y15, a, a
#define MAXPD(a, b, t) VMAXPD b, a, t \
	VCMPPD $3, b, a, Y15 \
	VMAXPD a, b, a \
	VANDPD t, a, a \
	VORPD  Y15, a, a

#define WIDE(OP) \
	MOVQ out+0(FP), DI      \
	MOVQ a+8(FP), SI        \
	MOVQ b+16(FP), DX       \
	MOVQ n+24(FP), CX       \
	XORQ AX, AX             \
	SUBQ $128, CX           \
	JLT  rest               \
four:                       \
	VMOVDQU 0(SI)(AX*1), Y0   \
	VMOVDQU 32(SI)(AX*1), Y1  \
	VMOVDQU 64(SI)(AX*1), Y2  \
	VMOVDQU 96(SI)(AX*1), Y3  \
	VMOVDQU 0(DX)(AX*1), Y4   \
	VMOVDQU 32(DX)(AX*1), Y5  \
	VMOVDQU 64(DX)(AX*1), Y6  \
	VMOVDQU 96(DX)(AX*1), Y7  \
	OP(Y0, Y4, Y8)            \
	OP(Y1, Y5, Y9)            \
	OP(Y2, Y6, Y10)           \
	OP(Y3, Y7, Y11)           \
	VMOVDQU Y0, 0(DI)(AX*1)   \
	VMOVDQU Y1, 32(DI)(AX*1)  \
	VMOVDQU Y2, 64(DI)(AX*1)  \
	VMOVDQU Y3, 96(DI)(AX*1)  \
	ADDQ $128, AX           \
	SUBQ $128, CX           \
	JGE  four               \
rest:                       \
	ADDQ $128, CX           \
	JEQ  done               \
one:                        \
	VMOVDQU 0(SI)(AX*1), Y0   \
	VMOVDQU 0(DX)(AX*1), Y4   \
	OP(Y0, Y4, Y8)            \
	VMOVDQU Y0, 0(DI)(AX*1)   \
	ADDQ $32, AX            \
	SUBQ $32, CX            \
	JNE  one                \
done:                       \
	VZEROUPPER              \
	RET

TEXT ·sumFloat32(SB), NOSPLIT, $0-32
	WIDE(ADDPS)

TEXT ·sumFloat64(SB), NOSPLIT, $0-32
	WIDE(ADDPD)

TEXT ·prodFloat32(SB), NOSPLIT, $0-32
	WIDE(MULPS)

TEXT ·prodFloat64(SB), NOSPLIT, $0-32
	WIDE(MULPD)

TEXT ·minFloat32(SB), NOSPLIT, $0-32
	WIDE(MINPS)

TEXT ·maxFloat32(SB), NOSPLIT, $0-32
	WIDE(MAXPS)

TEXT ·minFloat64(SB), NOSPLIT, $0-32
	WIDE(MINPD)

TEXT ·maxFloat64(SB), NOSPLIT, $0-32
	WIDE(MAXPD)

TEXT ·sumInt8(SB), NOSPLIT, $0-32
	WIDE(ADDB)

TEXT ·minInt8(SB), NOSPLIT, $0-32
	WIDE(MINB)

TEXT ·maxInt8(SB), NOSPLIT, $0-32
	WIDE(MAXB)

TEXT ·minUint8(SB), NOSPLIT, $0-32
	WIDE(MINUB)

TEXT ·maxUint8(SB), NOSPLIT, $0-32
	WIDE(MAXUB)

TEXT ·sumInt32(SB), NOSPLIT, $0-32
	WIDE(ADDD)

TEXT ·prodInt32(SB), NOSPLIT, $0-32
	WIDE(MULD)

TEXT ·minInt32(SB), NOSPLIT, $0-32
	WIDE(MIND)

TEXT ·maxInt32(SB), NOSPLIT, $0-32
	WIDE(MAXD)

TEXT ·minUint32(SB), NOSPLIT, $0-32
	WIDE(MINUD)

TEXT ·maxUint32(SB), NOSPLIT, $0-32
	WIDE(MAXUD)

TEXT ·sumInt64(SB), NOSPLIT, $0-32
	WIDE(ADDQ_)

// float16: eight elements become float32, are combined and rounded to nearest, ties to even ($0).
#define HALF(OP) \
	MOVQ out+0(FP), DI        \
	MOVQ a+8(FP), SI          \
	MOVQ b+16(FP), DX         \
	MOVQ n+24(FP), CX         \
	XORQ AX, AX               \
one:                          \
	VCVTPH2PS 0(SI)(AX*1), Y0  \
	VCVTPH2PS 16(SI)(AX*1), Y1 \
	VCVTPH2PS 0(DX)(AX*1), Y4  \
	VCVTPH2PS 16(DX)(AX*1), Y5 \
	OP(Y0, Y4, Y8)            \
	OP(Y1, Y5, Y9)            \
	VCVTPS2PH $0, Y0, X0      \
	VCVTPS2PH $0, Y1, X1      \
	VMOVDQU X0, 0(DI)(AX*1)   \
	VMOVDQU X1, 16(DI)(AX*1)  \
	ADDQ $32, AX              \
	SUBQ $32, CX              \
	JNE  one                  \
	VZEROUPPER                \
	RET

TEXT ·sumFloat16(SB), NOSPLIT, $0-32
	HALF(ADDPS)

TEXT ·prodFloat16(SB), NOSPLIT, $0-32
	HALF(MULPS)

TEXT ·minFloat16(SB), NOSPLIT, $0-32
	HALF(MINPS)

TEXT ·maxFloat16(SB), NOSPLIT, $0-32
	HALF(MAXPS)

// ROUND turns eight float32 in r into bfloat16 in the low halves of its lanes: r + 0x7fff + (bit 16 of r), which
// rounds to nearest, ties to even; lanes that are NaN become 0x7fff or 0xffff. Y14 holds 0x7fff, Y13 holds 1.
#define ROUND(r, t, nan) \
	VCMPPS $3, r, r, nan  \
	VPSRLD $16, r, t      \
	VPAND  Y13, t, t      \
	VPADDD Y14, t, t      \
	VPADDD t, r, r        \
	VPSRLD $16, r, r      \
	VPAND  Y14, nan, nan  \
	VPOR   nan, r, r

// bfloat16: as float16; VPACKUSDW packs within 128-bit lanes, VPERMQ puts the quarters in order.
#define BRAIN(OP) \
	MOVQ out+0(FP), DI         \
	MOVQ a+8(FP), SI           \
	MOVQ b+16(FP), DX          \
	MOVQ n+24(FP), CX          \
	XORQ AX, AX                \
	VPCMPEQD Y12, Y12, Y12     \
	VPSRLD $17, Y12, Y14       \
	VPSRLD $31, Y12, Y13       \
one:                           \
	VPMOVZXWD 0(SI)(AX*1), Y0  \
	VPMOVZXWD 16(SI)(AX*1), Y1 \
	VPMOVZXWD 0(DX)(AX*1), Y4  \
	VPMOVZXWD 16(DX)(AX*1), Y5 \
	VPSLLD $16, Y0, Y0         \
	VPSLLD $16, Y1, Y1         \
	VPSLLD $16, Y4, Y4         \
	VPSLLD $16, Y5, Y5         \
	OP(Y0, Y4, Y8)             \
	OP(Y1, Y5, Y9)             \
	ROUND(Y0, Y4, Y8)          \
	ROUND(Y1, Y5, Y9)          \
	VPACKUSDW Y1, Y0, Y0       \
	VPERMQ $0xd8, Y0, Y0       \
	VMOVDQU Y0, 0(DI)(AX*1)    \
	ADDQ $32, AX               \
	SUBQ $32, CX               \
	JNE  one                   \
	VZEROUPPER                 \
	RET

TEXT ·sumBFloat16(SB), NOSPLIT, $0-32
	BRAIN(ADDPS)

TEXT ·prodBFloat16(SB), NOSPLIT, $0-32
	BRAIN(MULPS)

TEXT ·minBFloat16(SB), NOSPLIT, $0-32
	BRAIN(MINPS)

TEXT ·maxBFloat16(SB), NOSPLIT, $0-32
	BRAIN(MAXPS)
