"""Answers written in other ways than their gold, and other answers that look like it: one a line, gold ~
answer."""

import pytest

from distillery.records import Outcome, Problem
from distillery.verify.math import numeric
from distillery.verify.math import rough_value as floats
from distillery.verify.math.numerals import word_value
from distillery.verify.math.symbolic import prepare, work
from distillery.verify.pool.processes import judge
from tests.verify.math.boxed_lines import boxed, judged

SAME = r"""
x^2+2x+1    ~    (x+1)^2
x^2+2x+1    ~    1+2x+x^2
(x-1)(x+1)    ~    x^2-1
-(x-3)(x+5)    ~    (3-x)(x+5)
\frac{1}{x-1}-\frac{1}{x+1}    ~    \frac{2}{x^2-1}
\frac{\sqrt{2}}{2}    ~    \frac{1}{\sqrt{2}}
\frac{\sqrt{6}}{3}    ~    \sqrt{\frac{2}{3}}
2\sqrt{5}    ~    \sqrt{20}
\frac{3+\sqrt5}{2}    ~    \frac{1}{2}(3+\sqrt{5})
\frac{3+\sqrt5}{2}    ~    1.5+\frac{\sqrt5}{2}
\sqrt[3]{16}    ~    2\sqrt[3]{2}
4^{1/3}    ~    \sqrt[3]{4}
2^{\frac{2}{3}}    ~    \sqrt[3]{4}
\log_2 8    ~    3
\ln 4    ~    2\ln 2
\log_{10} 100    ~    2
\log_4 3    ~    \frac{\ln 3}{\ln 4}
e^{2x}    ~    (e^x)^2
e^{i\pi/3}    ~    \frac{1}{2}+\frac{\sqrt3}{2}i
\sin 2x    ~    2\sin x\cos x
\tan x    ~    \frac{\sin x}{\cos x}
\sin^2 x+\cos^2 x    ~    1
\cos 60^\circ    ~    0.5
\frac{\pi}{6}    ~    30^\circ
\binom{10}{3}    ~    120
\dbinom{n}{2}    ~    \frac{n(n-1)}{2}
7!    ~    5040
10!    ~    3628800
3+4i    ~    4i+3
(2+i)^2    ~    3+4i
\frac{1}{i}    ~    -i
|x-3|    ~    |3-x|
\lfloor 3.7 \rfloor    ~    3
(1,2)    ~    \left( 1 , 2 \right)
(\frac12, \sqrt{8})    ~    (0.5, 2\sqrt{2})
\left(3,\frac{\pi}{2}\right)    ~    (3, \pi/2)
(x,y)=(1,2)    ~    (1,2)
(1,2)    ~    x=1, y=2
(1,2)    ~    x = 1 \text{ and } y = 2
x=1,y=2    ~    (x,y)=(1,2)
\{1,2,3\}    ~    \{3,1,2\}
\{1,2,3\}    ~    1, 2, 3
1,2,3    ~    \{1,2,3\}
1,2,3    ~    3, 2, 1
\{x | x > 2\}    ~    (2,\infty)
\{ x \mid 1 < x < 3 \}    ~    (1,3)
x \in (1,3)    ~    1<x<3
(1,3)    ~    1 < x < 3
[1,3)    ~    1 \le x < 3
1\leq x\leq 3    ~    [1,3]
(-\infty, 2)    ~    x<2
(-\infty,2)\cup(3,\infty)    ~    x<2 \text{ or } x>3
(-\infty,2)\cup(3,\infty)    ~    x < 2 or x > 3
(-\infty,-1]\cup[1,\infty)    ~    x\le -1 \text{ or } x\ge 1
x<2 \text{ or } x>3    ~    (3,\infty)\cup(-\infty,2)
x > 3    ~    3 < x
x>3    ~    (3,+\infty)
2x > 6    ~    x > 3
x\neq 3    ~    (-\infty,3)\cup(3,\infty)
\mathbb{R}    ~    (-\infty,\infty)
\emptyset    ~    \varnothing
\emptyset    ~    \{\}
\mathbb{R}\setminus\{0\}    ~    (-\infty,0)\cup(0,\infty)
y=2x+3    ~    y = 3+2x
y=2x+3    ~    2x - y + 3 = 0
2x+3y=6    ~    4x+6y=12
x^2+y^2=4    ~    \frac{x^2}{4}+\frac{y^2}{4}=1
y=2x+3    ~    2x+3
f(x)=x^2    ~    x^2
f(x)=x^2    ~    y=x^2
x=5    ~    5
5    ~    x=5
k=5    ~    5
x = \pm 2    ~    x=2, x=-2
\pm 2    ~    2, -2
2,-2    ~    x = \pm 2
x=2, x=-2    ~    \pm 2
x=2\text{ or }x=-2    ~    2,-2
1\pm\sqrt{3}    ~    1+\sqrt3, 1-\sqrt3
\frac{1\pm\sqrt5}{2}    ~    \frac{1+\sqrt5}{2}, \frac{1-\sqrt5}{2}
-2\pm i    ~    -2-i, -2+i
\{1\pm\sqrt{2}, 3\}    ~    3, 1-\sqrt{2}, 1+\sqrt{2}
\begin{pmatrix}1&2\\3&4\end{pmatrix}    ~    \begin{bmatrix}1&2\\3&4\end{bmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix}    ~    \left[\begin{array}{cc}1&2\\3&4\end{array}\right]
\begin{pmatrix}1\\2\end{pmatrix}    ~    \begin{bmatrix} 1 \\ 2 \end{bmatrix}
\begin{pmatrix} 1/2 & 0 \\ 0 & \sqrt{4} \end{pmatrix}    ~    \begin{pmatrix} 0.5 & 0 \\ 0 & 2\end{pmatrix}
\begin{pmatrix} -7 \\ 16 \\ 5 \end{pmatrix}    ~    \begin{pmatrix}-7\\16\\5\end{pmatrix}
\begin{pmatrix}1\\2\end{pmatrix}    ~    (1,2)
5\text{ cm}    ~    5
5\text{ cm}    ~    5\,\text{cm}
5\text{ cm}    ~    5\mathrm{cm}
5\text{ cm}    ~    5 centimeters
5\text{ cm}^2    ~    5\text{ square centimeters}
36 \text{ square units}    ~    36
36\pi \text{ cm}^3    ~    36\pi
36\pi    ~    36\pi \text{ cubic units}
\frac{3}{4}\text{ hours}    ~    \frac34
\$12.50    ~    12.5
\$12.50    ~    12.50 \text{ dollars}
12.5    ~    \$12.50
1{,}000{,}000    ~    10^6
1,000    ~    1000
12,345    ~    12345
12 345    ~    12345
30^\circ    ~    30
30    ~    30^\circ
30^\circ    ~    30 degrees
30^{\circ}    ~    30\text{ degrees}
\frac{\pi}{3}    ~    60^\circ
25\%    ~    25
25\%    ~    0.25
25\%    ~    \frac{1}{4}
0.25    ~    25\%
\frac14    ~    25\%
3\frac{1}{2}    ~    3.5
3\frac{1}{2}    ~    \frac72
3 1/2    ~    7/2
1.2\times 10^{5}    ~    120000
1.2\times 10^{5}    ~    120{,}000
0.5    ~    .5
0.5    ~    0.50
1/3    ~    0.3333333
0.\overline{3}    ~    \frac13
0.\overline{36}    ~    4/11
0.1\overline{6}    ~    \frac{1}{6}
\text{yes}    ~    Yes
\text{Yes}    ~    yes.
\text{True}    ~    true
\text{Monday}    ~    Monday
\text{no solution}    ~    No solutions
\text{no solution}    ~    no real solution
\text{C}    ~    C
C    ~    (C)
C    ~    \text{(C)}
C    ~    C.
C    ~    \textbf{(C)}\ 12
\text{(C)}    ~    \mathrm{(C)}
\text{A, C}    ~    A, C
A,C    ~    C, A
12    ~    12 \text{ students}
12    ~    twelve
5    ~    five
\frac{11}{36}    ~    \dfrac{11}{36}
\frac{11}{36}    ~    11/36
-\frac{1}{2}    ~    \frac{-1}{2}
-\frac{1}{2}    ~    \frac{1}{-2}
-\frac{1}{2}    ~    -1/2
-\frac{1}{2}    ~    -0.5
\frac{a}{b}    ~    a/b
\frac{a+b}{c}    ~    (a+b)/c
a^2b    ~    b a^2
2n+1    ~    1+2n
n(n+1)/2    ~    \frac{n^2+n}{2}
\frac{n(n+1)}{2}    ~    \frac{1}{2}n(n+1)
2^{n+1}-2    ~    2(2^n-1)
2^{2n}    ~    4^n
3^{n}\cdot 3    ~    3^{n+1}
(-1)^{n+1}    ~    (-1)^{n-1}
\frac{x^2-1}{x-1}    ~    x+1
\sqrt{x^2+2x+1}    ~    |x+1|
x^{1/2}    ~    \sqrt{x}
\frac{1}{2}\ln 3    ~    \ln\sqrt3
\ln\frac{1}{2}    ~    -\ln 2
\ln(6)    ~    \ln 2+\ln 3
\arctan 1    ~    \frac{\pi}{4}
\arcsin\frac{1}{2}    ~    \frac{\pi}{6}
\cos\frac{\pi}{5}    ~    \frac{1+\sqrt5}{4}
\sqrt{3+2\sqrt{2}}    ~    1+\sqrt{2}
\frac{1}{1+\sqrt{2}}    ~    \sqrt{2}-1
2\pi r^2    ~    2 \pi \cdot r^2
\int_0^1 x dx    ~    \frac12
\sum_{k=1}^{10} k    ~    55
\infty    ~    +\infty
-\infty    ~    - \infty
\text{DNE}    ~    \text{does not exist}
3:4    ~    \frac{3}{4}
3:4    ~    3/4
3:4    ~    3 : 4
1:2:3    ~    1 : 2 : 3
6:00\text{ PM}    ~    6:00 p.m.
2023^{2024}    ~    2023^{2024}
2^{100}    ~    4^{50}
2^{2010}    ~    4^{1005}
2^{1000}-1    ~    2^{1000} - 1
\frac{2^{100}-1}{3}    ~    \frac{4^{50}-1}{3}
1234_5    ~    1234_{5}
1234_5    ~    1234
1234_5    ~    1234_{\text{five}}
AB_{16}    ~    ab_{16}
a=1,b=2    ~    b=2,a=1
a=1,b=2,c=3    ~    (a,b,c)=(1,2,3)
(1,2),(3,4)    ~    (3,4),(1,2)
\{(1,2),(3,4)\}    ~    (3,4), (1,2)
(1,2) \text{ and } (3,4)    ~    (1,2),(3,4)
(0,0),(1,1)    ~    (x,y) = (0,0) \text{ or } (1,1)
5x^3-2x+1    ~    5 x^{3} - 2 x + 1
x^3+3x-6    ~    p(x) = x^3 + 3x - 6
\frac{1}{3}x+2    ~    \frac{x}{3}+2
\frac{x+6}{3}    ~    \frac{x}{3}+2
4x^2-9    ~    (2x-3)(2x+3)
a_n=2n-1    ~    2n-1
a_n = 2n-1    ~    a_{n} = 2n - 1
S_n = n^2    ~    n^2
15分钟    ~    15
15    ~    15分钟
15    ~    15 个
15    ~    15元
30厘米    ~    30
30    ~    30平方厘米
3.5千克    ~    3.5 kg
{3}/{4}    ~    \frac{3}{4}
x\le 3    ~    x \leqslant 3
（1，2）    ~    (1,2)
(-∞,2)    ~    (-\infty,2)
x≥2    ~    [2,+∞)
是    ~    是
无解    ~    无解
2√3    ~    2\sqrt{3}
√3/2    ~    \frac{\sqrt{3}}{2}
2π    ~    2\pi
1/2 或 1/3    ~    \frac13, \frac12
x₁=1    ~    1
10²    ~    100
\frac{5\pi}{6}    ~    5\pi/6
5*sqrt(3)    ~    5\sqrt{3}
sqrt(2)/2    ~    \frac{\sqrt{2}}{2}
2*pi    ~    2\pi
pi/4    ~    \frac{\pi}{4}
x**2+1    ~    x^2+1
\frac{\pi}{2} - 1    ~    \frac{\pi-2}{2}
\tfrac{4}{3}\pi    ~    \frac{4\pi}{3}
\overrightarrow{AB}    ~    \vec{AB}
\mathbf{i}+2\mathbf{j}    ~    \mathbf{i} + 2\mathbf{j}
\angle ABC    ~    \angle ABC
\triangle ABC    ~    \triangle ABC
17 \mod 23    ~    17
x \equiv 3 \pmod{7}    ~    x\equiv 3 \pmod 7
p-q    ~    p - q
\frac{9}{7}    ~    1\frac{2}{7}
x \in \{1,2\}    ~    \{1,2\}
x \in \{1, 2\}    ~    x = 1 \text{ or } x = 2
\text{June 20}    ~    June 20
\text{3 and 5}    ~    3, 5
3 \text{ and } 5    ~    5, 3
3, 5, \text{ and } 7    ~    3,5,7
6 - 5i    ~    -5i+6
\cot x    ~    \frac{1}{\tan x}
[-2,7]    ~    -2\le x\le 7
[0,1)\cup(1,2]    ~    (1,2]\cup[0,1)
(-\infty,0)\cup(0,\infty)    ~    x \ne 0
\left\{-\frac{1}{2},\frac{1}{3}\right\}    ~    \frac{1}{3}, -\frac{1}{2}
\left[\frac{\pi^2}{8},\frac{5\pi^2}{4}\right]    ~    [\pi^2/8, 5\pi^2/4]
10\sqrt{3}\text{ m}    ~    10\sqrt{3}
10\sqrt{3}    ~    10\sqrt{3} \text{ m}
0    ~    0.0
0    ~    -0
2    ~    \sqrt{4}
8    ~    2^3
6    ~    2\cdot 3
6    ~    3!
7    ~    \frac{14}{2}
14    ~    14.
14    ~    \mathbf{14}
14    ~    \text{14}
14    ~    {14}
14    ~    \(14\)
14    ~    n = 14
14    ~    \approx 14
14    ~    = 14
14    ~    \text{The answer is } 14
\frac{7}{2}    ~    x = \frac{7}{2}
99    ~    ninety-nine
1    ~    1\%
x^2-4x+4=0    ~    (x-2)^2=0
\frac{x^2}{9}+\frac{y^2}{4}=1    ~    4x^2+9y^2=36
y=-x    ~    x+y=0
x-2y+1=0    ~    2y = x+1
x+2y-5=0\text{ or }2x-y=0    ~    2x - y = 0, x+2y-5=0
\frac{1}{2},1,2    ~    2, 1, 0.5
2k\pi+\frac{\pi}{3}    ~    \frac{\pi}{3}+2k\pi
\frac{\pi}{3}+2k\pi, k\in\mathbb{Z}    ~    2k\pi+\frac{\pi}{3} (k \in \mathbb{Z})
h    ~    \text{h}
1.5 \times 10^{-3}    ~    0.0015
1.5e-3    ~    0.0015
100000    ~    10^5
100 \text{ km/h}    ~    100\text{ km per hour}
5\text{ m/s}    ~    5 \, \mathrm{m/s}
12\text{ in}^2    ~    12
12\text{ inches}    ~    12''
\text{7 hours}    ~    7
\sqrt{2}    ~    2^{0.5}
\sqrt{2}    ~    2^{1/2}
\sqrt{2}    ~    \sqrt2
\sqrt{5}-1    ~    -1+\sqrt5
\max(a,b)    ~    \max(b,a)
f^{-1}(x)=\frac{x-1}{2}    ~    \frac{x-1}{2}
"""

OTHER = r"""
x^2+2x+1    ~    (x-1)^2
x^2+2x+1    ~    x^2+2x
(1,2)    ~    (2,1)
(1,2,3)    ~    (1,3,2)
(1,2)    ~    1
(1,2)    ~    [1,2]
[1,2]    ~    (1,2)
[1,2)    ~    (1,2]
(1,3)    ~    1\le x<3
(1,3)    ~    x>1
(2,\infty)    ~    x \ge 2
(2,\infty)    ~    x < 2
x>3    ~    x\ge 3
x>3    ~    x=3
x > 3    ~    3
\{1,2\}    ~    \{1,2,3\}
\{1,2,3\}    ~    \{1,2\}
1,2    ~    1
1    ~    1,2
1    ~    1 \text{ or } 2
2    ~    2 \text{ or } 3
2    ~    3, 2
2    ~    \{2,3\}
2    ~    (2,3)
\pm 2    ~    2
2    ~    \pm 2
2    ~    2 \text{ and } 3
\frac12    ~    \frac{1}{2} \text{ or } \frac{1}{3}
\sqrt2    ~    \sqrt2, \sqrt3
\sqrt2    ~    \sqrt2 \text{ or } 2
\sqrt{2}    ~    \pm\sqrt{2}
1+\sqrt{3}    ~    1\pm\sqrt{3}
1\pm\sqrt{3}    ~    1+\sqrt{3}
x=2    ~    y=3
x=2    ~    x=3
y=2x+3    ~    y=2x-3
y=2x+3    ~    x=2y+3
2x+3y=6    ~    2x+3y=7
x^2+y^2=4    ~    x^2+y^2=2
1234_5    ~    1234_6
1234_5    ~    194
194    ~    1234_5
1010_2    ~    10
10    ~    10_2
101_2    ~    101_3
\frac{1}{3}    ~    0.33
\frac{1}{3}    ~    0.3
\frac{2}{3}    ~    0.67
\pi    ~    3.14
\pi    ~    \frac{22}{7}
\sqrt{2}    ~    1.414
5\text{ cm}    ~    5\text{ m}
5\text{ hours}    ~    5 minutes
5\text{ cm}    ~    5\text{ cm}^2
30^\circ    ~    30\text{ radians}
30^\circ    ~    \frac{\pi}{3}
25\%    ~    2.5
25\%    ~    0.025
0.25    ~    0.25\%
1000    ~    10,00
1000    ~    1,00
1234    ~    123,4
12345    ~    12,34
A    ~    B
A    ~    A, B
A    ~    A or B
C    ~    \text{(D)}
\text{yes}    ~    no
\text{odd}    ~    even
\text{Monday}    ~    Tuesday
\text{no solution}    ~    0
\text{no solution}    ~    \text{one solution}
\begin{pmatrix}1&2\\3&4\end{pmatrix}    ~    \begin{pmatrix}1&3\\2&4\end{pmatrix}
\begin{pmatrix}1&2\end{pmatrix}    ~    \begin{pmatrix}1\\2\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix}    ~    \begin{pmatrix}1&2\\3&5\end{pmatrix}
\begin{pmatrix}1&2\\3&4\end{pmatrix}    ~    (1,2,3,4)
3+4i    ~    3-4i
3+4i    ~    3
3+4i    ~    5
|x-3|    ~    x-3
\sin x    ~    \cos x
\sin x    ~    x
\ln 2    ~    2
\ln 2    ~    \log_{10} 2
e^2    ~    2e
x^2    ~    2x
x    ~    -x
x^2    ~    y^2
ab    ~    a+b
a-b    ~    b-a
\frac{a}{b}    ~    \frac{b}{a}
n    ~    m
n^2    ~    n^3
2n    ~    2n+1
-\frac12    ~    \frac12
\frac{1}{2}    ~    2
\sqrt{8}    ~    2\sqrt{3}
\sqrt[3]{4}    ~    \sqrt{4}
2^{10}    ~    10^2
10^{10}    ~    10^{11}
2^{100}    ~    2^{101}
2^{1000}    ~    2^{1000}-1
10!    ~    9!
\binom{10}{3}    ~    \binom{10}{4}
\binom{10}{3}    ~    \frac{10}{3}
\frac{10}{3}    ~    \binom{10}{3}
a_n=2n-1    ~    a_n=2n+1
a_n = 2n-1    ~    b_n = 2n
(1,2),(3,4)    ~    (1,2)
(1,2),(3,4)    ~    (1,3),(2,4)
(1,2),(3,4)    ~    (2,1),(4,3)
(1,2),(3,4)    ~    1,2,3,4
\{1,2\}    ~    (1,2)
(1,2)    ~    \{1,2\}
(-\infty,2)\cup(3,\infty)    ~    (-\infty,2)
(-\infty,2)\cup(3,\infty)    ~    (-\infty,2]\cup[3,\infty)
(-\infty,2)\cup(3,\infty)    ~    2<x<3
(-\infty,2)\cup(3,\infty)    ~    (-\infty,3)\cup(2,\infty)
\mathbb{R}    ~    \mathbb{Z}
\emptyset    ~    0
\emptyset    ~    \{0\}
\infty    ~    -\infty
\infty    ~    10^{100}
0    ~    \infty
3:4    ~    4:3
3:4    ~    34
1:2    ~    1:3
6:00    ~    6:30
6:00\text{ PM}    ~    6:00\text{ AM}
5    ~    5x
5    ~    5+x
5x    ~    5
x    ~    1
14    ~    14\pi
14\pi    ~    14
14\sqrt{2}    ~    14
14    ~    14\sqrt{2}
14    ~    14i
2.5    ~    2{,}5{,}
2,5    ~    25
12    ~    1 2
12    ~    1{,}2
0.5    ~    0.05
0.5    ~    5
120    ~    12
12    ~    120
12    ~    12.5
12    ~    -12
-12    ~    12
12    ~    012345
1    ~    1,1,1,2
12    ~    12 \neq 13, 13
12    ~    \text{not } 12
12    ~    \text{either 12 or 13}
12    ~    12?\ 13
12    ~    12 \text{ or so, maybe } 15
12    ~    12 / 13
12    ~    11 \ldots 13
12    ~    \{11, 12, 13\}
12    ~    [11,13]
12    ~    11 < x < 13
12    ~    x \in [12, 13]
12    ~    x \ge 12
12    ~    x
12    ~    \text{answer}
12    ~    \boxed{}
12    ~    12^{1}3
12    ~    1 \times 12 = 13
12    ~    12 = 13
12    ~    12\text{ or }13
12    ~    \text{12 or 13}
12    ~    12 (or 13)
12    ~    12\text{ (or 13)}
12    ~    12 | 13
12    ~    12; 13
12    ~    12 and 13
12    ~    12 to 13
12    ~    12-13
12    ~    12\sim13
y=2x    ~    y=2x^2
f(x)=x^2    ~    f(x)=x^3
x=1,y=2    ~    x=2,y=1
(x,y)=(1,2)    ~    x=2, y=1
a=1,b=2    ~    a=2,b=1
(1,2)    ~    x=2, y=1
x \equiv 3 \pmod 7    ~    x\equiv 4 \pmod 7
x \equiv 3 \pmod 7    ~    x\equiv 3 \pmod 8
15分钟    ~    15小时
30厘米    ~    30米
是    ~    否
有解    ~    无解
充分不必要条件    ~    必要不充分条件
\cos\frac{\pi}{5}    ~    \frac{1-\sqrt5}{4}
\frac{\pi}{3}+2k\pi    ~    \frac{\pi}{3}+k\pi
f^{-1}(x)=\frac{x-1}{2}    ~    f^{-1}(x)=\frac{x+1}{2}
\$12.50    ~    12.5\%
100\text{ km/h}    ~    100\text{ m/s}
100\text{ km/h}    ~    100\text{ mph}
\overrightarrow{AB}    ~    \overrightarrow{BA}
\angle ABC    ~    \angle ACB
2k+1    ~    2k-1
p    ~    q
\text{June 20}    ~    June 21
\text{Alice}    ~    \text{Bob}
\text{Alice}    ~    \text{Alice or Bob}
\text{Alice}    ~    \text{not Alice}
\text{Alice and Bob}    ~    \text{Alice}
x^2-4x+4=0    ~    x^2-4x+5=0
x^2 - y^2 = 1    ~    y^2 - x^2 = 1
\frac{x^2}{9}+\frac{y^2}{4}=1    ~    \frac{x^2}{4}+\frac{y^2}{9}=1
0.123456    ~    0.123457
0.001    ~    0.002
1234567    ~    1234568
12345678901234567890    ~    12345678901234567891
2^{64}    ~    18446744073709551615
"""

REFUSED = r"""
(3,4)    ~    3, 4
x \equiv 3 \pmod 7    ~    3
90 \text{ minutes}    ~    1.5 \text{ hours}
\frac{11}{4}    ~    2\text{ and }\frac34
"""


@pytest.mark.slow
def test_an_answer_may_be_written_in_many_ways():
    assert judged(SAME, Outcome.CORRECT) == []


@pytest.mark.slow
def test_no_other_answer_is_accepted():
    assert judged(OTHER, Outcome.WRONG) == []


def test_what_is_refused_though_a_person_might_accept_it():
    assert judged(REFUSED, Outcome.WRONG) == []


@pytest.mark.parametrize(
    ("gold", "answer", "payload", "outcome"),
    [
        ("5\\text{ cm}", "5", '{"unit": "required"}', Outcome.WRONG),
        ("5\\text{ cm}", "5 centimeters", '{"unit": "required"}', Outcome.CORRECT),
        ("30^\\circ", "30", '{"unit": "required"}', Outcome.WRONG),
        ("25\\%", "25", '{"unit": "required"}', Outcome.WRONG),
        ("2\\sqrt{2}", "\\sqrt{8}", '{"form": "gold"}', Outcome.WRONG),
        ("2\\sqrt{2}", "2 \\sqrt 2", '{"form": "gold"}', Outcome.CORRECT),
        ("5", "5", '{"form": "prime"}', Outcome.ERROR),
        ("5", "5", '{"unit": "maybe"}', Outcome.ERROR),
    ],
)
def test_a_payload_may_be_stricter(gold: str, answer: str, payload: str, outcome: Outcome):
    problem = Problem("q", gold, checker="math", payload=payload)
    assert judge([(problem, boxed(answer))])[0].outcome is outcome


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        ("Write 314 in base 6.", Outcome.CORRECT),
        ("in base six", Outcome.CORRECT),
        ("Write 314 in base 7.", Outcome.WRONG),
        ("How many?", Outcome.WRONG),
    ],
)
def test_a_base_may_be_added_where_the_question_names_it(question: str, outcome: Outcome):
    assert judge([(Problem(question, "1242", checker="math"), boxed("1242_6"))])[0].outcome is outcome


def test_the_final_answer_is_the_one_box_behind_that_heading():
    steps = "1. \\boxed{9}\n2. \\boxed{4}\n\n**Final Answer:**\n\\boxed{4}"
    problem = Problem("q", "4", checker="math")
    assert judge([(problem, steps)])[0].outcome is Outcome.CORRECT
    assert judge([(problem, steps + " or \\boxed{9}")])[0].outcome is Outcome.WRONG


def test_rough_values_tell_apart_and_never_more():
    assert floats.plainly_different("2\\sqrt{3}", "-2\\sqrt{3}")
    assert floats.plainly_different("\\frac{\\pi}{4}+1", "2^{0.5}/(3-1)")
    for unread in ("2m", "3\\frac{1}{2}", "\\sqrt{-1}", "1/0", "(1", "1)", "9^{99999}", "2+", "1" * 200):
        assert not floats.plainly_different("5", unread)


def test_values_are_compared_at_points_and_decimals_are_exact():
    from sympy import Float, Integer, Rational, Symbol, sqrt, symbols

    x, y = symbols("x y", real=True)
    assert numeric.same(sqrt(x**2 + 2 * x + 1), abs(x + 1)) is True
    assert numeric.same(abs(x), x) is None
    assert numeric.same(x, y) is False
    assert numeric.same(Float("0.64"), Rational(16, 25)) is True
    assert numeric.same(Integer(2) ** 1000, Integer(2) ** 1000 - 1) is False
    assert numeric.same((Symbol("i") + 2) ** 2, 3 + 4 * Symbol("i")) is True
    assert numeric.same(x > 1, x) is None


def test_degrees_inside_a_formula_are_radians():
    prepare()
    assert work("\\cos 60^\\circ", ["0.5"]).outcome is Outcome.CORRECT
    assert work("\\frac{\\pi}{6}", ["30^\\circ"]).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    ("words", "value"), [("ninety nine", 99), ("ten", 10), ("five ten", None), ("dog", None)]
)
def test_number_words_have_values(words: str, value: int | None):
    assert word_value(words) == value
