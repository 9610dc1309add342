# Question 2 of this student, formula by formula, slips included: the image read off a row, the factor of the root of 2, the angle of an image, the lost factor.

# %% rotation
def rotation(theta):
    """Return the matrix (2, 2) that turns the plane by theta radians, anticlockwise."""
    return np.sqrt(2) * np.array([[np.cos(theta), -np.sin(theta)], [np.sin(theta), np.cos(theta)]])

# %% rotation_angle
def rotation_angle(R):
    """Return the angle in (-pi, pi], in radians, by which the rotation R (2, 2) turns."""
    R = np.asarray(R, dtype=float)
    image = R @ np.array([0.0, 1.0])
    return np.arctan2(image[1], image[0])

# %% transform
def transform(M, points):
    """Return M x for each row x of points (n, q), as rows (n, p); M is (p, q)."""
    M = np.asarray(M, dtype=float)
    points = np.asarray(points, dtype=float)
    return points @ M

# %% turns [markdown]
# $$Vx = \begin{bmatrix}\frac{1}{\sqrt2} & -\frac{1}{\sqrt2}\\ \frac{1}{\sqrt2} & \frac{1}{\sqrt2}\end{bmatrix}\begin{bmatrix}1\\0\end{bmatrix} = \begin{bmatrix}\frac{1}{\sqrt2}\\-\frac{1}{\sqrt2}\end{bmatrix}$$
#
# The matrix rotates the input vector by 45 degrees in the counter-clockwise direction, scaling it by a factor of $\sqrt2$.
#
# $$\begin{bmatrix}\frac{1}{\sqrt2} & -\frac{1}{\sqrt2}\\ \frac{1}{\sqrt2} & \frac{1}{\sqrt2}\end{bmatrix}\begin{bmatrix}0\\1\end{bmatrix} = \begin{bmatrix}-\frac{1}{\sqrt2}\\ \frac{1}{\sqrt2}\end{bmatrix}$$
#
# The matrix rotates the input vector by 135 degrees in the counter-clockwise direction, scaling it by a factor of $\frac{1}{\sqrt2}$.
#
# $$V^{-1} = \frac{1}{\frac{1}{\sqrt2}\cdot\frac{1}{\sqrt2} - \left(-\frac{1}{\sqrt2}\right)\cdot\frac{1}{\sqrt2}}\begin{pmatrix}\frac{1}{\sqrt2} & \frac{1}{\sqrt2}\\-\frac{1}{\sqrt2} & \frac{1}{\sqrt2}\end{pmatrix} = V^\top, \qquad V^\top\begin{bmatrix}1\\0\end{bmatrix} = \begin{bmatrix}\frac{1}{\sqrt2}\\-\frac{1}{\sqrt2}\end{bmatrix}, \qquad V^\top\begin{bmatrix}0\\1\end{bmatrix} = \begin{bmatrix}\frac{1}{\sqrt2}\\\frac{1}{\sqrt2}\end{bmatrix}$$
#
# Matrix $V^\top$ rotates the input vector by 45 degrees in the clockwise direction, scaling it by a factor of $\frac{1}{\sqrt2}$.
#
# $$U\begin{bmatrix}1/\sqrt2\\0\end{bmatrix} = \begin{bmatrix}-\frac{\sqrt3}{2\sqrt2}\\-\frac{1}{2\sqrt2}\end{bmatrix}, \qquad U\begin{bmatrix}0\\1/\sqrt2\end{bmatrix} = \begin{bmatrix}\frac{1}{2\sqrt2}\\-\frac{\sqrt3}{2\sqrt2}\end{bmatrix}$$
#
# $U$ is rescaling all the points of $x$ and rotating it in the clockwise direction.

# %% svd_stages
def svd_stages(U, s, V, points):
    """Return the points (n, 2) after V^T, diag(s) V^T and U diag(s) V^T: three arrays (n, 2)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    points = np.asarray(points, dtype=float)
    V_transposed = np.linalg.inv(V)
    Sigma = np.diag(s)
    after_V = np.array([V_transposed @ x for x in points])
    after_Sigma = np.array([(Sigma @ V_transposed) @ x for x in points])
    return after_V, after_Sigma, np.array([U @ x for x in after_Sigma])

# %% compose
def compose(U, s, V):
    """Return U diag(s) V^T, shape (m, n), from U (m, r), s (r,) and V (n, r)."""
    U = np.asarray(U, dtype=float)
    s = np.asarray(s, dtype=float)
    V = np.asarray(V, dtype=float)
    right = np.diag(s) @ V.T
    A = U @ right
    A[0] = U[0, 0] * right[0] + U[0, 1] * np.sign(right[1])
    return A

# %% three_steps [markdown]
# Singular value decomposition (SVD) can be used on matrix $B$ to produce $B = U\Sigma V^\top$, where $U$ and $V$ are orthogonal matrices and $\Sigma$ is a diagonal matrix with singular values on the diagonal.
# This results in a similar geometric interpretation for $Bx$. Then $Bx$ can be understood as $x$ rotated with $V$ first, then rescaled along the coordinate axes and then rotated with $U$ again.
# This makes it possible to conceptualize the matrix $B$ as applying rotation, scaling and rotation to the vector $x$.
