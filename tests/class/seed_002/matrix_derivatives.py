# Seed 002, its items 1 to 11: each function as the student's last formula has it.
# Wrong: item 1 ends in u′k + ku′; item 8 permutes axes counted from 1. The last exercise is not answered.

# %% product_rule
def product_rule(k, dk, u, du):
    k, du = np.asarray(k, dtype=float), np.asarray(du, dtype=float)
    return du * k + k * du

# %% inner_product_rule
def inner_product_rule(u, du, v, dv):
    u, du = np.asarray(u, dtype=float), np.asarray(du, dtype=float)
    v, dv = np.asarray(v, dtype=float), np.asarray(dv, dtype=float)
    return v.T @ du + u.T @ dv

# %% linear_rule
def linear_rule(A, du):
    A, du = np.asarray(A, dtype=float), np.asarray(du, dtype=float)
    return A @ du

# %% place
def place(i, a, m):
    a = np.asarray(a, dtype=float)
    n = len(a)
    return np.concatenate([a if position == i else np.zeros(n) for position in range(m)])

# %% dy_dW
def dy_dW(W, x):
    W, x = np.asarray(W, dtype=float), np.asarray(x, dtype=float)
    m = W.shape[0]
    return np.stack([place(i, x, m) for i in range(m)])

# %% dY_dW
def dY_dW(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    m, b = W.shape[0], X.shape[1]
    return np.stack([place(i, X[:, j], m) for i in range(m) for j in range(b)])

# %% dy_dX
def dy_dX(w, X):
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    rows = []
    for i in range(X.shape[1]):
        dyi_dX = np.zeros(X.shape)
        dyi_dX[:, i] = w
        rows.append(dyi_dX.ravel())
    return np.stack(rows)

# %% dY_dX
def dY_dX(W, X):
    W, X = np.asarray(W, dtype=float), np.asarray(X, dtype=float)
    (m, n), b = W.shape, X.shape[1]
    A = np.kron(np.eye(b), W).reshape(b, m, b, n)
    return A.transpose(2, 1, 4, 3)

# %% dz_dW_outer
def dz_dW_outer(dz_dy, x):
    dz_dy, x = np.asarray(dz_dy, dtype=float), np.asarray(x, dtype=float)
    row = dz_dy.reshape(1, -1)
    return row.T @ x.reshape(1, -1)

# %% dz_dW
def dz_dW(dz_dY, X):
    dz_dY, X = np.asarray(dz_dY, dtype=float), np.asarray(X, dtype=float)
    return dz_dY @ X.T

# %% dz_dX
def dz_dX(dz_dY, W):
    dz_dY, W = np.asarray(dz_dY, dtype=float), np.asarray(W, dtype=float)
    return W.T @ dz_dY

# %% proof_by_index [markdown]
# Method 1. Let $y = \begin{pmatrix} y_1 \\ \vdots \\ y_m \end{pmatrix}$, $x = \begin{pmatrix} x_1 \\ \vdots \\ x_n \end{pmatrix}$.
#
# $$\because y_i = x^\top w_i = (x_1, \dots, x_n) \begin{pmatrix} w_{i1} \\ \vdots \\ w_{in} \end{pmatrix} = \sum_{j=1}^n w_{ij} x_j$$
#
# $$\therefore \frac{\partial y_i}{\partial w_{ij}} = x_j$$
#
# $$\therefore \frac{\partial z}{\partial w_{ij}} = \frac{\partial z}{\partial y_i} \frac{\partial y_i}{\partial w_{ij}} = \frac{\partial z}{\partial y_i} x_j$$
#
# $$\therefore \frac{\partial z}{\partial W} := \left(\frac{\partial z}{\partial y_i}\right)_{i=1}^m \text{ as mat} = \frac{\partial z}{\partial y} x^\top$$

# %% proof_by_block [markdown]
# Method 2. Let $y = \begin{pmatrix} y_1 \\ \vdots \\ y_m \end{pmatrix}_m$.
#
# $$\therefore \frac{\partial z}{\partial W} = \frac{\partial z}{\partial y} \frac{\partial y}{\partial W} = \left(\frac{\partial z}{\partial y_1}, \dots, \frac{\partial z}{\partial y_m}\right)_{1 \times m} (X^\top \dots X^\top)_{m \times m} = \left(\frac{\partial z}{\partial y_1} X^\top, \dots, \frac{\partial z}{\partial y_m} X^\top\right)_m \in \mathbb{R}^{1 \times (mn)}$$
#
# $$\therefore \frac{\partial z}{\partial W} := \left(\frac{\partial z}{\partial W}\right)_{\text{as mat}} = \begin{pmatrix} \frac{\partial z}{\partial y_1} X^\top & \dots & \frac{\partial z}{\partial y_m} X^\top \end{pmatrix} = \frac{\partial z}{\partial y} X^\top$$
#
# (here $\frac{\partial z}{\partial y} = f'(y) := \left(\frac{\partial z}{\partial y}\right)_{\text{as mat}}$)
#
# Method 3. $\therefore y_i^\top = w_i^\top X$, $\therefore y_i = X^\top w_i$, $\therefore \frac{\partial y_i}{\partial w_i} = X^\top$.
