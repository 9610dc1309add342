# Learned it with samples in columns and the input's axes first; slips are sides, transposes and the order of a difference.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return W @ D

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    dA_dW = np.einsum("ik,jl->klij", D, np.eye(W.shape[1]))
    dA_dD = np.einsum("ik,lj->klij", np.eye(D.shape[0]), W)
    return dA_dW, dA_dD

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return W.T @ B, B @ D.T

# %% linear_backward_proof [markdown]
# With samples in columns, $A = W D$ and $\partial E/\partial D_{kl} = \sum_{i,j} B_{ij} W_{ik} \delta_{jl} = \sum_i W_{ik} B_{il} = (W^\top B)_{kl}$.
# Transposing everything gives the case of rows.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    return D + b.reshape(-1, 1)

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    return B, B.T.sum(axis=1)

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    return 1 / (1 + np.exp(D))

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    return B * A * (A - 1)

# %% sigmoid_proof [markdown]
# $\sigma' = \left((1 + e^{-t})^{-1}\right)' = -(1 + e^{-t})^{-2} e^{-t} = -\sigma (1 - \sigma) = \sigma (\sigma - 1)$,
# and each $D_{kl}$ belongs to one output, so it is multiplied by $B_{kl}$.
