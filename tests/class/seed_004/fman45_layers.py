# One of the course's handed-in solutions, as its formulas say: the gradients for one sample, and the first of a batch.

# %% fully_connected_forward
# equation (2): the bias stands inside the sum over the inputs, so that every output gets all of b
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    return W @ X + np.sum(b)

# %% fully_connected_backward
# equations (14), (8) and (12)
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float)
    W, b = np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    dL_dX = W.T @ dL_dY
    dL_dW = dL_dY @ X.T
    dL_db = dL_dY
    return dL_dX, dL_dW, dL_db

# %% batch_proof [markdown]
# Firstly, we simplify
# $$\frac{dL}{dx_i} = \sum_{l=1}^n \frac{dL}{dy_l} \frac{dy_l}{dx_i}
# = \sum_{l=1}^{n} \frac{dL}{dy_l} \frac{d}{dx_i} \left( \sum_{j=1}^{m} W_{lj} x_j + b_j \right)
# = \sum_{l=1}^{n} \frac{dL}{dy_l} W_{li}, \qquad \frac{dL}{d\mathbf{x}} = \mathbf{W}^T \frac{dL}{d\mathbf{y}} .$$
# Moving on,
# $$\frac{dL}{dW_{ij}} = \sum_{l=1}^{n} \frac{dL}{dy_l} \frac{d}{dW_{ij}} \left( \sum_{k=1}^{m} W_{lk} x_k + b_l \right)
# = \sum_{l=1}^{n} \frac{dL}{dy_l} \left( \sum_{k=1}^{m} x_k \frac{d}{dW_{ij}} W_{lk} + b_l \right) .$$
# Now, as $\frac{d}{dW_{ij}}W_{lk}=1$ if $i=l$ and $j=k$ and 0 otherwise, we can simplify the equation to
# $$\frac{dL}{dW_{ij}} = \frac{dL}{dy_i} x_j, \qquad \frac{dL}{d\mathbf{W}} = \frac{dL}{d\mathbf{y}} \mathbf{x}^T .$$
# Finally,
# $$\frac{dL}{db_i} = \sum_{l=1}^n \frac{dL}{dy_l} \frac{d}{db_i} \left( \sum_{j=1}^m W_{lj} x_j + b_j \right) .$$
# Once again $\frac{db_j}{db_i} = 1$ if $i = j$ and 0 otherwise. Thus $\frac{dL}{db_i} = \frac{dL}{dy_i}$, which translates to
# $\frac{dL}{d\mathbf{b}} = \frac{dL}{d\mathbf{y}}$.
#
# For a batch we make use of these results:
# $$\frac{dL}{d\mathbf{X}} = \begin{bmatrix} \mathbf{W}^T \frac{dL}{d\mathbf{y}^{(1)}} & \mathbf{W}^T \frac{dL}{d\mathbf{y}^{(2)}} & \dots &
# \mathbf{W}^T \frac{dL}{d\mathbf{y}^{(N)}} \end{bmatrix} = \mathbf{W}^T \frac{dL}{d\mathbf{Y}} .$$
# Furthermore, we can rewrite $\mathbf{Y}$ as $\mathbf{W}\mathbf{X} + \mathbf{b}$, where $\mathbf{b}$ is added to each column of
# $\mathbf{W}\mathbf{X}$.
