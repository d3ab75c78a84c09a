/* unicode_table.c - letters, numbers and white space of Unicode 14.0, as ranges.
 *
 * Generated; the cells below are the list that this Python 3.11 program makes (white space is the
 * property White_Space, PropList.txt; tests/host/test_tokenizer.py runs the program and compares):
 *
 *     import unicodedata
 *     SPACES = [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
 *               0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
 *     runs: list[list] = []
 *     for code in range(0x110000):
 *         kind = "S" if code in SPACES else unicodedata.category(chr(code))[0]
 *         if kind not in "LNS" or (kind == "S" and code not in SPACES):
 *             continue
 *         if runs and runs[-1][0] + runs[-1][1] == code and runs[-1][2] == kind:
 *             runs[-1][1] += 1
 *         else:
 *             runs.append([code, 1, kind])
 *     cells = [f"R({first:x},{n},{kind})" for first, n, kind in runs]
 */
#include "unicode.h"

#define L UNICODE_LETTER
#define N UNICODE_NUMBER
#define S UNICODE_SPACE
#define R(first, length, class) {0x##first, length, class},

/* clang-format off */
const struct unicode_range unicode_table[] = {
    R(9,5,S) R(20,1,S) R(30,10,N) R(41,26,L) R(61,26,L) R(85,1,S) R(a0,1,S) R(aa,1,L) R(b2,2,N)
    R(b5,1,L) R(b9,1,N) R(ba,1,L) R(bc,3,N) R(c0,23,L) R(d8,31,L) R(f8,458,L) R(2c6,12,L) R(2e0,5,L)
    R(2ec,1,L) R(2ee,1,L) R(370,5,L) R(376,2,L) R(37a,4,L) R(37f,1,L) R(386,1,L) R(388,3,L)
    R(38c,1,L) R(38e,20,L) R(3a3,83,L) R(3f7,139,L) R(48a,166,L) R(531,38,L) R(559,1,L) R(560,41,L)
    R(5d0,27,L) R(5ef,4,L) R(620,43,L) R(660,10,N) R(66e,2,L) R(671,99,L) R(6d5,1,L) R(6e5,2,L)
    R(6ee,2,L) R(6f0,10,N) R(6fa,3,L) R(6ff,1,L) R(710,1,L) R(712,30,L) R(74d,89,L) R(7b1,1,L)
    R(7c0,10,N) R(7ca,33,L) R(7f4,2,L) R(7fa,1,L) R(800,22,L) R(81a,1,L) R(824,1,L) R(828,1,L)
    R(840,25,L) R(860,11,L) R(870,24,L) R(889,6,L) R(8a0,42,L) R(904,54,L) R(93d,1,L) R(950,1,L)
    R(958,10,L) R(966,10,N) R(971,16,L) R(985,8,L) R(98f,2,L) R(993,22,L) R(9aa,7,L) R(9b2,1,L)
    R(9b6,4,L) R(9bd,1,L) R(9ce,1,L) R(9dc,2,L) R(9df,3,L) R(9e6,10,N) R(9f0,2,L) R(9f4,6,N)
    R(9fc,1,L) R(a05,6,L) R(a0f,2,L) R(a13,22,L) R(a2a,7,L) R(a32,2,L) R(a35,2,L) R(a38,2,L)
    R(a59,4,L) R(a5e,1,L) R(a66,10,N) R(a72,3,L) R(a85,9,L) R(a8f,3,L) R(a93,22,L) R(aaa,7,L)
    R(ab2,2,L) R(ab5,5,L) R(abd,1,L) R(ad0,1,L) R(ae0,2,L) R(ae6,10,N) R(af9,1,L) R(b05,8,L)
    R(b0f,2,L) R(b13,22,L) R(b2a,7,L) R(b32,2,L) R(b35,5,L) R(b3d,1,L) R(b5c,2,L) R(b5f,3,L)
    R(b66,10,N) R(b71,1,L) R(b72,6,N) R(b83,1,L) R(b85,6,L) R(b8e,3,L) R(b92,4,L) R(b99,2,L)
    R(b9c,1,L) R(b9e,2,L) R(ba3,2,L) R(ba8,3,L) R(bae,12,L) R(bd0,1,L) R(be6,13,N) R(c05,8,L)
    R(c0e,3,L) R(c12,23,L) R(c2a,16,L) R(c3d,1,L) R(c58,3,L) R(c5d,1,L) R(c60,2,L) R(c66,10,N)
    R(c78,7,N) R(c80,1,L) R(c85,8,L) R(c8e,3,L) R(c92,23,L) R(caa,10,L) R(cb5,5,L) R(cbd,1,L)
    R(cdd,2,L) R(ce0,2,L) R(ce6,10,N) R(cf1,2,L) R(d04,9,L) R(d0e,3,L) R(d12,41,L) R(d3d,1,L)
    R(d4e,1,L) R(d54,3,L) R(d58,7,N) R(d5f,3,L) R(d66,19,N) R(d7a,6,L) R(d85,18,L) R(d9a,24,L)
    R(db3,9,L) R(dbd,1,L) R(dc0,7,L) R(de6,10,N) R(e01,48,L) R(e32,2,L) R(e40,7,L) R(e50,10,N)
    R(e81,2,L) R(e84,1,L) R(e86,5,L) R(e8c,24,L) R(ea5,1,L) R(ea7,10,L) R(eb2,2,L) R(ebd,1,L)
    R(ec0,5,L) R(ec6,1,L) R(ed0,10,N) R(edc,4,L) R(f00,1,L) R(f20,20,N) R(f40,8,L) R(f49,36,L)
    R(f88,5,L) R(1000,43,L) R(103f,1,L) R(1040,10,N) R(1050,6,L) R(105a,4,L) R(1061,1,L) R(1065,2,L)
    R(106e,3,L) R(1075,13,L) R(108e,1,L) R(1090,10,N) R(10a0,38,L) R(10c7,1,L) R(10cd,1,L)
    R(10d0,43,L) R(10fc,333,L) R(124a,4,L) R(1250,7,L) R(1258,1,L) R(125a,4,L) R(1260,41,L)
    R(128a,4,L) R(1290,33,L) R(12b2,4,L) R(12b8,7,L) R(12c0,1,L) R(12c2,4,L) R(12c8,15,L)
    R(12d8,57,L) R(1312,4,L) R(1318,67,L) R(1369,20,N) R(1380,16,L) R(13a0,86,L) R(13f8,6,L)
    R(1401,620,L) R(166f,17,L) R(1680,1,S) R(1681,26,L) R(16a0,75,L) R(16ee,3,N) R(16f1,8,L)
    R(1700,18,L) R(171f,19,L) R(1740,18,L) R(1760,13,L) R(176e,3,L) R(1780,52,L) R(17d7,1,L)
    R(17dc,1,L) R(17e0,10,N) R(17f0,10,N) R(1810,10,N) R(1820,89,L) R(1880,5,L) R(1887,34,L)
    R(18aa,1,L) R(18b0,70,L) R(1900,31,L) R(1946,10,N) R(1950,30,L) R(1970,5,L) R(1980,44,L)
    R(19b0,26,L) R(19d0,11,N) R(1a00,23,L) R(1a20,53,L) R(1a80,10,N) R(1a90,10,N) R(1aa7,1,L)
    R(1b05,47,L) R(1b45,8,L) R(1b50,10,N) R(1b83,30,L) R(1bae,2,L) R(1bb0,10,N) R(1bba,44,L)
    R(1c00,36,L) R(1c40,10,N) R(1c4d,3,L) R(1c50,10,N) R(1c5a,36,L) R(1c80,9,L) R(1c90,43,L)
    R(1cbd,3,L) R(1ce9,4,L) R(1cee,6,L) R(1cf5,2,L) R(1cfa,1,L) R(1d00,192,L) R(1e00,278,L)
    R(1f18,6,L) R(1f20,38,L) R(1f48,6,L) R(1f50,8,L) R(1f59,1,L) R(1f5b,1,L) R(1f5d,1,L)
    R(1f5f,31,L) R(1f80,53,L) R(1fb6,7,L) R(1fbe,1,L) R(1fc2,3,L) R(1fc6,7,L) R(1fd0,4,L)
    R(1fd6,6,L) R(1fe0,13,L) R(1ff2,3,L) R(1ff6,7,L) R(2000,11,S) R(2028,2,S) R(202f,1,S)
    R(205f,1,S) R(2070,1,N) R(2071,1,L) R(2074,6,N) R(207f,1,L) R(2080,10,N) R(2090,13,L)
    R(2102,1,L) R(2107,1,L) R(210a,10,L) R(2115,1,L) R(2119,5,L) R(2124,1,L) R(2126,1,L) R(2128,1,L)
    R(212a,4,L) R(212f,11,L) R(213c,4,L) R(2145,5,L) R(214e,1,L) R(2150,51,N) R(2183,2,L)
    R(2185,5,N) R(2460,60,N) R(24ea,22,N) R(2776,30,N) R(2c00,229,L) R(2ceb,4,L) R(2cf2,2,L)
    R(2cfd,1,N) R(2d00,38,L) R(2d27,1,L) R(2d2d,1,L) R(2d30,56,L) R(2d6f,1,L) R(2d80,23,L)
    R(2da0,7,L) R(2da8,7,L) R(2db0,7,L) R(2db8,7,L) R(2dc0,7,L) R(2dc8,7,L) R(2dd0,7,L) R(2dd8,7,L)
    R(2e2f,1,L) R(3000,1,S) R(3005,2,L) R(3007,1,N) R(3021,9,N) R(3031,5,L) R(3038,3,N) R(303b,2,L)
    R(3041,86,L) R(309d,3,L) R(30a1,90,L) R(30fc,4,L) R(3105,43,L) R(3131,94,L) R(3192,4,N)
    R(31a0,32,L) R(31f0,16,L) R(3220,10,N) R(3248,8,N) R(3251,15,N) R(3280,10,N) R(32b1,15,N)
    R(3400,6592,L) R(4e00,22157,L) R(a4d0,46,L) R(a500,269,L) R(a610,16,L) R(a620,10,N) R(a62a,2,L)
    R(a640,47,L) R(a67f,31,L) R(a6a0,70,L) R(a6e6,10,N) R(a717,9,L) R(a722,103,L) R(a78b,64,L)
    R(a7d0,2,L) R(a7d3,1,L) R(a7d5,5,L) R(a7f2,16,L) R(a803,3,L) R(a807,4,L) R(a80c,23,L)
    R(a830,6,N) R(a840,52,L) R(a882,50,L) R(a8d0,10,N) R(a8f2,6,L) R(a8fb,1,L) R(a8fd,2,L)
    R(a900,10,N) R(a90a,28,L) R(a930,23,L) R(a960,29,L) R(a984,47,L) R(a9cf,1,L) R(a9d0,10,N)
    R(a9e0,5,L) R(a9e6,10,L) R(a9f0,10,N) R(a9fa,5,L) R(aa00,41,L) R(aa40,3,L) R(aa44,8,L)
    R(aa50,10,N) R(aa60,23,L) R(aa7a,1,L) R(aa7e,50,L) R(aab1,1,L) R(aab5,2,L) R(aab9,5,L)
    R(aac0,1,L) R(aac2,1,L) R(aadb,3,L) R(aae0,11,L) R(aaf2,3,L) R(ab01,6,L) R(ab09,6,L) R(ab11,6,L)
    R(ab20,7,L) R(ab28,7,L) R(ab30,43,L) R(ab5c,14,L) R(ab70,115,L) R(abf0,10,N) R(ac00,11172,L)
    R(d7b0,23,L) R(d7cb,49,L) R(f900,366,L) R(fa70,106,L) R(fb00,7,L) R(fb13,5,L) R(fb1d,1,L)
    R(fb1f,10,L) R(fb2a,13,L) R(fb38,5,L) R(fb3e,1,L) R(fb40,2,L) R(fb43,2,L) R(fb46,108,L)
    R(fbd3,363,L) R(fd50,64,L) R(fd92,54,L) R(fdf0,12,L) R(fe70,5,L) R(fe76,135,L) R(ff10,10,N)
    R(ff21,26,L) R(ff41,26,L) R(ff66,89,L) R(ffc2,6,L) R(ffca,6,L) R(ffd2,6,L) R(ffda,3,L)
    R(10000,12,L) R(1000d,26,L) R(10028,19,L) R(1003c,2,L) R(1003f,15,L) R(10050,14,L)
    R(10080,123,L) R(10107,45,N) R(10140,57,N) R(1018a,2,N) R(10280,29,L) R(102a0,49,L)
    R(102e1,27,N) R(10300,32,L) R(10320,4,N) R(1032d,20,L) R(10341,1,N) R(10342,8,L) R(1034a,1,N)
    R(10350,38,L) R(10380,30,L) R(103a0,36,L) R(103c8,8,L) R(103d1,5,N) R(10400,158,L) R(104a0,10,N)
    R(104b0,36,L) R(104d8,36,L) R(10500,40,L) R(10530,52,L) R(10570,11,L) R(1057c,15,L) R(1058c,7,L)
    R(10594,2,L) R(10597,11,L) R(105a3,15,L) R(105b3,7,L) R(105bb,2,L) R(10600,311,L) R(10740,22,L)
    R(10760,8,L) R(10780,6,L) R(10787,42,L) R(107b2,9,L) R(10800,6,L) R(10808,1,L) R(1080a,44,L)
    R(10837,2,L) R(1083c,1,L) R(1083f,23,L) R(10858,8,N) R(10860,23,L) R(10879,7,N) R(10880,31,L)
    R(108a7,9,N) R(108e0,19,L) R(108f4,2,L) R(108fb,5,N) R(10900,22,L) R(10916,6,N) R(10920,26,L)
    R(10980,56,L) R(109bc,2,N) R(109be,2,L) R(109c0,16,N) R(109d2,46,N) R(10a00,1,L) R(10a10,4,L)
    R(10a15,3,L) R(10a19,29,L) R(10a40,9,N) R(10a60,29,L) R(10a7d,2,N) R(10a80,29,L) R(10a9d,3,N)
    R(10ac0,8,L) R(10ac9,28,L) R(10aeb,5,N) R(10b00,54,L) R(10b40,22,L) R(10b58,8,N) R(10b60,19,L)
    R(10b78,8,N) R(10b80,18,L) R(10ba9,7,N) R(10c00,73,L) R(10c80,51,L) R(10cc0,51,L) R(10cfa,6,N)
    R(10d00,36,L) R(10d30,10,N) R(10e60,31,N) R(10e80,42,L) R(10eb0,2,L) R(10f00,29,L) R(10f1d,10,N)
    R(10f27,1,L) R(10f30,22,L) R(10f51,4,N) R(10f70,18,L) R(10fb0,21,L) R(10fc5,7,N) R(10fe0,23,L)
    R(11003,53,L) R(11052,30,N) R(11071,2,L) R(11075,1,L) R(11083,45,L) R(110d0,25,L) R(110f0,10,N)
    R(11103,36,L) R(11136,10,N) R(11144,1,L) R(11147,1,L) R(11150,35,L) R(11176,1,L) R(11183,48,L)
    R(111c1,4,L) R(111d0,10,N) R(111da,1,L) R(111dc,1,L) R(111e1,20,N) R(11200,18,L) R(11213,25,L)
    R(11280,7,L) R(11288,1,L) R(1128a,4,L) R(1128f,15,L) R(1129f,10,L) R(112b0,47,L) R(112f0,10,N)
    R(11305,8,L) R(1130f,2,L) R(11313,22,L) R(1132a,7,L) R(11332,2,L) R(11335,5,L) R(1133d,1,L)
    R(11350,1,L) R(1135d,5,L) R(11400,53,L) R(11447,4,L) R(11450,10,N) R(1145f,3,L) R(11480,48,L)
    R(114c4,2,L) R(114c7,1,L) R(114d0,10,N) R(11580,47,L) R(115d8,4,L) R(11600,48,L) R(11644,1,L)
    R(11650,10,N) R(11680,43,L) R(116b8,1,L) R(116c0,10,N) R(11700,27,L) R(11730,12,N) R(11740,7,L)
    R(11800,44,L) R(118a0,64,L) R(118e0,19,N) R(118ff,8,L) R(11909,1,L) R(1190c,8,L) R(11915,2,L)
    R(11918,24,L) R(1193f,1,L) R(11941,1,L) R(11950,10,N) R(119a0,8,L) R(119aa,39,L) R(119e1,1,L)
    R(119e3,1,L) R(11a00,1,L) R(11a0b,40,L) R(11a3a,1,L) R(11a50,1,L) R(11a5c,46,L) R(11a9d,1,L)
    R(11ab0,73,L) R(11c00,9,L) R(11c0a,37,L) R(11c40,1,L) R(11c50,29,N) R(11c72,30,L) R(11d00,7,L)
    R(11d08,2,L) R(11d0b,38,L) R(11d46,1,L) R(11d50,10,N) R(11d60,6,L) R(11d67,2,L) R(11d6a,32,L)
    R(11d98,1,L) R(11da0,10,N) R(11ee0,19,L) R(11fb0,1,L) R(11fc0,21,N) R(12000,922,L)
    R(12400,111,N) R(12480,196,L) R(12f90,97,L) R(13000,1071,L) R(14400,583,L) R(16800,569,L)
    R(16a40,31,L) R(16a60,10,N) R(16a70,79,L) R(16ac0,10,N) R(16ad0,30,L) R(16b00,48,L) R(16b40,4,L)
    R(16b50,10,N) R(16b5b,7,N) R(16b63,21,L) R(16b7d,19,L) R(16e40,64,L) R(16e80,23,N) R(16f00,75,L)
    R(16f50,1,L) R(16f93,13,L) R(16fe0,2,L) R(16fe3,1,L) R(17000,6136,L) R(18800,1238,L)
    R(18d00,9,L) R(1aff0,4,L) R(1aff5,7,L) R(1affd,2,L) R(1b000,291,L) R(1b150,3,L) R(1b164,4,L)
    R(1b170,396,L) R(1bc00,107,L) R(1bc70,13,L) R(1bc80,9,L) R(1bc90,10,L) R(1d2e0,20,N)
    R(1d360,25,N) R(1d400,85,L) R(1d456,71,L) R(1d49e,2,L) R(1d4a2,1,L) R(1d4a5,2,L) R(1d4a9,4,L)
    R(1d4ae,12,L) R(1d4bb,1,L) R(1d4bd,7,L) R(1d4c5,65,L) R(1d507,4,L) R(1d50d,8,L) R(1d516,7,L)
    R(1d51e,28,L) R(1d53b,4,L) R(1d540,5,L) R(1d546,1,L) R(1d54a,7,L) R(1d552,340,L) R(1d6a8,25,L)
    R(1d6c2,25,L) R(1d6dc,31,L) R(1d6fc,25,L) R(1d716,31,L) R(1d736,25,L) R(1d750,31,L)
    R(1d770,25,L) R(1d78a,31,L) R(1d7aa,25,L) R(1d7c4,8,L) R(1d7ce,50,N) R(1df00,31,L) R(1e100,45,L)
    R(1e137,7,L) R(1e140,10,N) R(1e14e,1,L) R(1e290,30,L) R(1e2c0,44,L) R(1e2f0,10,N) R(1e7e0,7,L)
    R(1e7e8,4,L) R(1e7ed,2,L) R(1e7f0,15,L) R(1e800,197,L) R(1e8c7,9,N) R(1e900,68,L) R(1e94b,1,L)
    R(1e950,10,N) R(1ec71,59,N) R(1ecad,3,N) R(1ecb1,4,N) R(1ed01,45,N) R(1ed2f,15,N) R(1ee00,4,L)
    R(1ee05,27,L) R(1ee21,2,L) R(1ee24,1,L) R(1ee27,1,L) R(1ee29,10,L) R(1ee34,4,L) R(1ee39,1,L)
    R(1ee3b,1,L) R(1ee42,1,L) R(1ee47,1,L) R(1ee49,1,L) R(1ee4b,1,L) R(1ee4d,3,L) R(1ee51,2,L)
    R(1ee54,1,L) R(1ee57,1,L) R(1ee59,1,L) R(1ee5b,1,L) R(1ee5d,1,L) R(1ee5f,1,L) R(1ee61,2,L)
    R(1ee64,1,L) R(1ee67,4,L) R(1ee6c,7,L) R(1ee74,4,L) R(1ee79,4,L) R(1ee7e,1,L) R(1ee80,10,L)
    R(1ee8b,17,L) R(1eea1,3,L) R(1eea5,5,L) R(1eeab,17,L) R(1f100,13,N) R(1fbf0,10,N)
    R(20000,42720,L) R(2a700,4153,L) R(2b740,222,L) R(2b820,5762,L) R(2ceb0,7473,L) R(2f800,542,L)
    R(30000,4939,L)
};
/* clang-format on */

const uint32_t unicode_table_size = sizeof unicode_table / sizeof *unicode_table;
