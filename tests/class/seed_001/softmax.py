# What seed 001 derived in question 1, symbol by symbol, right or wrong: dz/dx = w^T, dz/dw = x, dz/du = -1,
# each multiplied with y_i(delta_ij - y_j); x is gone from the product. Not answered: all that is left out.

# %% shift_proof [markdown]
# $$\text{softmax}(z) = \text{softmax}(z - c)$$
#
# $$\text{softmax}(z - c)_i = \frac{e^{z_i - c}}{\sum_j e^{z_j - c}}$$
#
# $$= \frac{e^{z_i}}{e^c \sum_j e^{z_j}} = \frac{e^{z_i}}{\sum_j e^{z_j}} \quad \text{(1)} \qquad (e^c \text{ crossed out})$$
#
# $$\text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}} \quad \text{(2)}$$
#
# From (1) and (2)
#
# $$\text{softmax}(z) = \text{softmax}(z - c)$$

# %% softmax
def softmax(z):
    # e^{z_i} / sum_j e^{z_j}
    z = np.asarray(z, dtype=float)
    return np.exp(z) / np.exp(z).sum()

# %% jacobian_proof [markdown]
# When we try to find the derivative of the softmax function, we talk about a Jacobian matrix, which is the
# matrix of all first order partial derivatives of vector-valued function.
#
# $$y_i = \text{softmax}(z)_i = \frac{e^{z_i}}{\sum_{k=1}^K e^{z_k}}, \qquad
# \frac{\partial y_i}{\partial z_j} = \frac{\partial}{\partial z_j} \frac{e^{z_i}}{\sum_{k=1}^K e^{z_k}}$$
#
# $$n_i = \sum_{k=1}^K e^{z_k}$$
#
# No matter which $z_j$ when we compute the derivative of $y_i$ with respect to $z_j$, it will be $e^z$.
#
# When $i = j$ (derive the gradient of the diagonal of the Jacobian matrix)
#
# $$\frac{\partial}{\partial z_j} \frac{e^{z_i}}{\sum_{k=1}^n e^{z_k}} = \frac{e^{z_i} \sum_{k=1}^n e^{z_k} - e^{z_j} e^{z_i}}{\left(\sum_{k=1}^n e^{z_k} \right)^2}
# = e^{z_i} \frac{\sum_{k=1}^n e^{z_k} - e^{z_j} e^{z_i}}{\left(\sum_{k=1}^n e^{z_k} \right)^2}
# = \frac{e^{z_i} \left(\sum_{k=1}^n e^{z_k} - e^{z_j} \right)}{\left(\sum_{k=1}^n e^{z_k} \right)^2}
# = y_i(1 - y_j)$$
#
# Similarly, deriving the off diagonal entries of the Jacobian matrix will yield: if $i \neq j$
#
# $$\frac{\partial}{\partial z_j} \frac{e^{z_i}}{\sum_{k=1}^n e^{z_k}} = \frac{0 - e^{z_j} e^{z_i}}{\left(\sum_{k=1}^n e^{z_k} \right)^2}
# = - \frac{e^{z_j} e^{z_i}}{\left(\sum_{k=1}^n e^{z_k} \right)^2} = -y_i y_j$$
#
# $$\frac{\partial y_i}{\partial z_j} = \begin{cases} y_i(1-y_j) & i=j \\ -y_i y_j & i \neq j \end{cases}$$
#
# $$\frac{\partial y_i}{\partial z_j} = y_i (\delta_{ij} - y_j) \quad \text{where } \delta_{ij} = 1 \text{ if } i=j \text{ and } 0 \text{ otherwise}$$

# %% softmax_jacobian
def softmax_jacobian(z):
    # y_i (delta_ij - y_j)
    y = softmax(z)
    return y[:, None] * (np.eye(len(y)) - y[None, :])

# %% dy_dx
def dy_dx(x, W, u):
    # y_i (delta_ij - y_j) * w^T
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    return softmax_jacobian(W.T @ x - u) * W.T

# %% dy_dw
def dy_dw(x, W, u):
    # y_i (delta_ij - y_j)
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    return softmax_jacobian(W.T @ x - u)

# %% dy_du
def dy_du(x, W, u):
    # y_i (delta_ij - y_j) * -1
    x = np.asarray(x, dtype=float)
    W = np.asarray(W, dtype=float)
    u = np.asarray(u, dtype=float)
    return softmax_jacobian(W.T @ x - u) * -1
